"""The simulated Slack: Web API, Socket Mode and files."""
