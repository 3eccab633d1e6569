"""The parts of a running desk, each begun and ended by itself (`amends run --only …`)."""

PARTS = ("telegram", "slack", "scheduler", "web")
