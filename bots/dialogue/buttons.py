"""The buttons a complainant meets: every choice by its code; labels are texts (`button.<code>`)."""

from __future__ import annotations

Rows = tuple[tuple[str, ...], ...]

DONE: Rows = (("done",),)
SKIP: Rows = (("skip",),)
CANCEL: Rows = (("cancel",),)
CHECK: Rows = (("send",), ("change", "not_yet"))
CHANGES: Rows = (("story",), ("where_and_when",), ("what_would_help",), ("cancel",))
SAFE: Rows = (("safe",),)
SURE: Rows = (("yes", "no"),)
REPLY: Rows = (("accept",), ("disagree",), ("question",))
SCALE: Rows = (("1", "2", "3", "4", "5"), ("skip",))

#: What would put it right, as people ask for it (iso10002.md section 6).
REMEDIES = (
    "repair",
    "replacement",
    "money_back",
    "explanation",
    "apology",
    "a_change",
    "something_else",
    "tell_you",
)
HELP: Rows = (
    ("repair", "replacement"),
    ("money_back", "explanation"),
    ("apology", "a_change"),
    ("something_else", "tell_you"),
    ("skip",),
)

#: For whom a complaint is (iso10002.md section 3, Representative).
WHOM_CHOICES = ("for_me", "agreed", "cannot_decide", "do_not_know")
WHOM: Rows = (("for_me",), ("agreed",), ("cannot_decide",), ("do_not_know",), ("skip",))

SCORES = ("1", "2", "3", "4", "5")

#: The survey's questions, fairness and outcome first (iso10002.md section 6).
SURVEY = ("q3", "q5", "q1", "q2", "q4", "q6")


def languages(codes: tuple[str, ...]) -> Rows:
    """A button for each language."""
    return tuple((f"lang_{code}",) for code in codes)
