"""docs/permissions.md read back: which role may use which form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from complaints.actions.registry import FORM_VERBS, OFFLINE_VERBS
from complaints.vocabulary import Role, Verb

PAGE = Path(__file__).parents[1] / "docs" / "permissions.md"
#: Named on the page, but no act on a complaint: reading, what a caller is told, and the templates of letters.
READS = frozenset({"open", "stage", "templates"})


def who_may() -> Mapping[Role, frozenset[str]]:
    """The forms of each role of staff, as its rows on the page say; "all of" includes another role."""
    forms_by_role: dict[Role, frozenset[str]] = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        row = re.fullmatch(r"\| (\w+) \| (.+) \|", line)
        if row is None or row[1] == "role":
            continue
        inherited = re.match(r"all of (\w+)", row[2])
        forms = frozenset(re.findall(r"`(\w+)`", row[2]))
        role = Role(row[1])
        taken_over = forms_by_role[Role(inherited[1])] if inherited else frozenset()
        forms_by_role[role] = forms_by_role.get(role, frozenset()) | forms | taken_over
    return forms_by_role


def verbs_of(form: str) -> frozenset[Verb]:
    """The verbs that a form may mean."""
    match form:
        case _ if form in READS:
            return frozenset()
        case "given":
            return frozenset(OFFLINE_VERBS.values())
        case "log_complaint":
            # The acknowledgement is read out to whoever complains by voice.
            return frozenset({Verb.RECEIVE, Verb.ACKNOWLEDGE})
        case "take_back":
            return frozenset({Verb.TAKE_BACK})
        case "talk":
            return frozenset({Verb.TALK})
        case "external":
            return frozenset({Verb.NOTIFY_EXTERNAL, Verb.CONCLUDE_EXTERNAL})
        case "link":
            return frozenset({Verb.LINK, Verb.MERGE})
        case "assess":
            return frozenset({Verb.ASSESS, Verb.REASSESS})
        case _:
            return frozenset({FORM_VERBS[form]})
