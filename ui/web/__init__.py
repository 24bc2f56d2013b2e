"""The Streamlit pages. They draw and forward; what deserves a test without Streamlit lives elsewhere."""
