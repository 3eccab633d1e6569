"""Posts in Slack as rows."""
