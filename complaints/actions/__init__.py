"""What people and the desk do to a complaint: one module per stage of clause 7, with the rows of its verbs."""
