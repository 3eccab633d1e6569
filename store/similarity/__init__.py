"""Sketches of complaints and the search for similar cases."""
