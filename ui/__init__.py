"""What people touch: the wiring of the parts, the command line and the web app."""
