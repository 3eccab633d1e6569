"""Errors of triage; each message says what to do."""


class TriageError(Exception):
    """Base of all errors that triage raises on purpose."""


class UnreadableModel(TriageError):
    """A model file that was altered, is of another kind, or has an unknown version; the last good model is kept."""


class UnusableExamples(TriageError):
    """Examples that no model can be trained from: too few, or all of one category."""


class UnreadableTable(TriageError):
    """A CSV file without the requested columns, or in no readable encoding."""


class UnknownColumn(UnreadableTable):
    """A column that was named, or is required, is missing from the file or occurs twice."""


class UnusableEncoder(TriageError):
    """A text encoder that was named but is not installed, or whose files are missing or altered."""
