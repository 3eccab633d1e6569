"""Pictures for customers who have none at hand."""
