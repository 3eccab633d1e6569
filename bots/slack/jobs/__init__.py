"""The obligations that Slack fulfils: posts, cards, reminders, files and reports."""
