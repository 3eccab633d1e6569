"""The buttons a complainant meets: every choice by its code; labels are texts (`button.<code>`)."""

from __future__ import annotations

Rows = tuple[tuple[str, ...], ...]

DONE: Rows = (("done",),)
SKIP: Rows = (("skip",),)
CANCEL: Rows = (("cancel",),)
CHECK: Rows = (("send",), ("change", "not_yet"))
CHANGES: Rows = (("story",), ("where_and_when",), ("what_would_help",), ("cancel",))
SAFE: Rows = (("safe",),)
#: Under what the story told already: is that right?
CONFIRM: Rows = (("yes", "change"), ("skip",))
SURE: Rows = (("yes", "no"),)
#: Is it this? (docs/domain.md, section 3, Incident)
THIS: Rows = (("yes", "yes_more"), ("no",))
REPLY: Rows = (("accept",), ("disagree",), ("question",))
SCALE: Rows = (("1", "2", "3", "4", "5"), ("skip",))

#: What would put it right, as people ask for it (docs/domain.md, section 6).
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

#: For whom a complaint is (docs/domain.md, section 3, Representative).
WHOM: Rows = (("for_me",), ("agreed",), ("cannot_decide",), ("do_not_know",), ("skip",))

#: What the person is to whom it is about.
RELATION: Rows = (("parent", "carer"), ("guardian", "relative"), ("someone_else",), ("skip",))
#: How old, asked only where a child seems to write; bands, never a date of birth.
AGE: Rows = (("under_13", "from_13"), ("from_16", "adult"), ("skip",))
#: Has it happened before?
AGAIN: Rows = (("yes", "no"), ("skip",))
#: What would make it easier: what to do, never a diagnosis.
NEEDS: Rows = (("other_language", "large_print"), ("a_call", "help_to_write"), ("skip",))
#: How the name may be used.
IDENTITY: Rows = (("named",), ("pseudonym",), ("no_contact",), ("skip",))
#: What can be done with one's data.
DATA: Rows = (("export",), ("correct_data",), ("erase_data",))
#: Under the letter that says that it was taken for something else.
INSIST: Rows = (("insist",),)

SCORES = ("1", "2", "3", "4", "5")

#: The survey's questions, fairness and outcome first (docs/domain.md, section 6).
SURVEY = ("q3", "q5", "q1", "q2", "q4", "q6")


def languages(codes: tuple[str, ...]) -> Rows:
    """A button for each language."""
    return tuple((f"lang_{code}",) for code in codes)
