"""The chats: the dialogue, the letters, the texts, and the platforms Telegram and Slack."""
