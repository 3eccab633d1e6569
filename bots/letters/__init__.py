"""The letters to the complainant, as pure functions of the complaint (7.1, 7.3, 7.4, 7.8, 7.9)."""
