"""Performance as ratios against a baseline or ceiling taken in the same run (docs/performance.md)."""
