"""The page: HTML, styles and scripts, served as they are."""
