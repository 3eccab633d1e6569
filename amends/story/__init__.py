"""Stories: transcripts of people and staff that are played against the whole product (docs/stories.md)."""
