"""The dialogue with a complainant as a pure function: (conversation, incoming message, now) -> turn."""
