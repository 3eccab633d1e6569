"""Safety rules: signs of harm, and names of staff, in a message."""
