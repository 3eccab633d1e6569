"""What a person may ask of us about their own data: to see it, and to have it erased (8.1)."""
