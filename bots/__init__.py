"""What people see in a chat: the dialogue, the letters, the texts, and the two platforms that carry them."""
