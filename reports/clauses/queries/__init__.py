"""Evidence queries: for each clause a function from one complaint, or from the organisation, to points."""
