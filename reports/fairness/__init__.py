"""Who is satisfied, and whether everybody is treated alike (4.5, 8.3)."""
