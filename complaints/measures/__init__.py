"""What one complaint contributes to the figures of clause 8, and the row in which the record keeps it."""
