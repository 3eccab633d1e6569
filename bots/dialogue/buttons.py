"""The buttons in the complainant's chat, as rows of choice codes; labels are texts (`button.<code>`)."""

Rows = tuple[tuple[str, ...], ...]

DONE: Rows = (("done",),)
SKIP: Rows = (("skip",),)
CANCEL: Rows = (("cancel",),)
CHECK: Rows = (("send",), ("change", "not_yet"), ("form_copy",))
#: The complaint as it was written down, as a PDF form (docs/domain.md, section 6, B).
FORM_COPY: Rows = (("form_copy",),)
CHANGES: Rows = (("story",), ("where_and_when",), ("what_would_help",), ("happened_before",), ("cancel",))
SAFE: Rows = (("safe",),)
#: Of the hazards named to a person in danger, none.
OTHER_HAZARD = "other_hazard"
YES_OR_NO: Rows = (("yes", "no"),)
SURE = YES_OR_NO
#: "Is it this incident?" (docs/domain.md, section 3, Incident)
INCIDENT: Rows = (("yes", "yes_more"), ("no",))
#: Under the acknowledgement, the decision and the closing.
RECEIPT = ("receipt",)
REPLY: Rows = (("accept",), ("disagree",), ("question",))

WISHES: Rows = (
    ("repair", "replacement"),
    ("money_back", "compensation"),
    ("explanation", "apology"),
    ("a_change", "something_else"),
    ("tell_you",),
)
HELP: Rows = (*WISHES, *SKIP)
#: Remedies that complainants can ask for (docs/domain.md, section 6).
REMEDIES = tuple(choice for row in WISHES for choice in row)

#: Who is affected: the writer, or a person they represent (docs/domain.md, section 3, Representative).
WHOM: Rows = (("for_me",), ("agreed",), ("cannot_decide",), ("do_not_know",), ("skip",))

#: How the writer is related to the person affected.
RELATION: Rows = (("parent", "carer"), ("guardian", "relative"), ("someone_else",), ("skip",))
#: Age bands, never a date of birth. Asked only when the writer seems to be a child.
AGE: Rows = (("under_13", "from_13"), ("from_16", "adult"), ("skip",))
#: "Has it happened before?"
AGAIN: Rows = (("yes", "no"), ("skip",))
#: Support that the complainant needs: what staff can do, never a diagnosis.
NEEDS: Rows = (("other_language", "large_print"), ("a_call", "help_to_write"), ("skip",))
#: How staff may use the complainant's name.
IDENTITY: Rows = (("named",), ("pseudonym",), ("no_contact",), ("skip",))
#: What complainants can ask for their personal data.
DATA: Rows = (("export",), ("correct_data",), ("erase_data",))
#: Under the letter that closes a matter as "not a complaint".
INSIST: Rows = (("insist",),)

#: Under the letter about a limit on contact.
APPEAL: Rows = (("appeal",),)

#: After a bad survey answer: reopen the complaint, or make a new one.
AFTER_SURVEY: Rows = (("take_up",), ("new_complaint",))

#: The step of the question about a remedy is this prefix with the remedy's number: `done3`.
REMEDY_STEP = "done"

#: Under words that seem to belong to a closed complaint: reopen it, or make a new one.
AFTER_CLOSING: Rows = (("take_up",), ("new",))

SCORES = ("1", "2", "3", "4", "5")
SCALE: Rows = (SCORES, ("skip",))
#: The survey's questions, fairness and outcome first (docs/domain.md, section 6).
SURVEY = ("q3", "q5", "q1", "q2", "q4", "q6")
