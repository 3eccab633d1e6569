"""The analysis of complaints (8.2): what is frequent, what returns, what changed, and where to look for the cause."""
