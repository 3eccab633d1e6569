"""The Telegram bot: incoming updates for the dialogue, outgoing replies and letters to complainants."""
