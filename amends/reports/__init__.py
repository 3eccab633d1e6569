"""The reports of clause 8: which kinds there are, and how each is built and written."""
