"""What can go wrong in triage; each message says what to do."""

from __future__ import annotations


class TriageError(Exception):
    """Something triage refuses to do."""


class UnreadableModel(TriageError):
    """A model file that is altered, of another kind or from an unknown version; the last good model stays
    in use.
    """


class UnusableExamples(TriageError):
    """Examples that no model can be trained from: too few, or all of one category."""


class UnreadableTable(TriageError):
    """A CSV file without the columns asked for, or in no readable encoding."""


class UnknownColumn(UnreadableTable):
    """A column that was asked for, or is needed, is not in the file or stands in it twice."""


class UnusableEncoder(TriageError):
    """An encoder of texts that is asked for by name but absent, or whose files are missing or altered."""
