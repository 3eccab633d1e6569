"""Reading the record: cases with their events, texts, worklists, and who read what."""
