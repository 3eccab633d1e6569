"""Documents that leave the desk as files: the case file and reports, set by Typst as PDF/A."""
