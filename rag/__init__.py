"""Retrieval and grounded answers. Importing it loads no model, no engine and no parser."""
