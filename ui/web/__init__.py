"""The Streamlit pages. They draw and forward; what deserves a plain test lives elsewhere."""
