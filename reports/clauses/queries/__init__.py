"""Evidence queries: pure functions from one complaint, or from the house, to points; one a clause."""
