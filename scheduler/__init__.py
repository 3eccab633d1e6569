"""What we owe, done in time. Knows no channel: performers are handed in by kind; APScheduler only ticks."""
