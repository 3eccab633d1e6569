"""What people are in danger from, and the alarm of a complaint (5.3, 7.3)."""
