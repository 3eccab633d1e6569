"""What the desk must do and when, derived from the case and from each event."""
