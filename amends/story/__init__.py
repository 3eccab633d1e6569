"""Written stories: a transcript of one complaint that can be played against the whole product."""
