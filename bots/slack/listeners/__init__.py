"""What people press, submit and type in Slack: read, done, answered."""
