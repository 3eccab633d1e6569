"""All texts that people read, by message id, from gettext catalogues (4.3: plain language)."""
