"""Slack's Web API, Socket Mode, HTTP, rate limits and Block Kit."""
