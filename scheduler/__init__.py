"""The scheduler: claims obligations when they are due and calls the handler of their kind. It knows no channel."""
