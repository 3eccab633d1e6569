"""The rules of ISO 10002 clauses 3 to 7 as plain values and functions. Standard library only."""
