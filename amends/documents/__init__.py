"""Documents that leave the desk as files: case files and reports, typeset by Typst as PDF/A."""
