"""The reader: what a text says, learned from examples. Read by numpy alone, in the transaction of every message."""
