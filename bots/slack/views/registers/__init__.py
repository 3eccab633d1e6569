"""What Slack shows of the registers of what is not a complaint (docs/registers.md)."""
