"""A chat as one file to keep or to forward: a web page with its pictures, or Markdown."""
