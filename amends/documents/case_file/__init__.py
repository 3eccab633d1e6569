"""The parts of a case file; `case_file` puts them in order."""
