"""What staff see in Slack, drawn from the record."""
