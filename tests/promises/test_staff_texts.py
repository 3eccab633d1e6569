"""The staff's texts: the same ids and fields in every language, none missing or unused, short enough."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bots.sign_names import RULES
from bots.slack.views import actions, command_replies, forms, incident, refusals
from bots.slack.views import case as case_view
from bots.slack.views.case import MESSAGE_STATES
from bots.slack.views.forms import choice_id, label_id
from bots.texts.loading import load_catalogues
from complaints.deadlines.due_steps import STEPS
from complaints.deadlines.working_time import Unit
from complaints.errors import BadFacts, NotAllowed, OutOfOrder, Stale
from complaints.forms import EVIDENCE, FORMS
from complaints.incidents import LEFT_OUT, fields_of
from complaints.obligations.kinds import LETTERS
from complaints.similarity import LinkSuggestion
from complaints.vocabulary import Category, CloseCode, ContactKind, Flag, Remedy, Role, State, Target, Verb
from store.outbox.deliveries import REASONS as REASONS_WHY
from store.outbox.rows import SENT_TO_COMPLAINANT
from store.record.worklists import WorklistSection
from store.values import DeliveryStatus
from tests.rules.slack_cases import stages, voice
from triage.criteria import REASONS
from triage.facts.fact import FACT_KINDS

TEXTS = load_catalogues(("en", "tr"), domain="staff")
RELATIONS = next(one for one in FORMS["link"] if one.name == "relation").options
HERE = Path(__file__).parents[2]
SOURCES = "\n".join(one.read_text() for one in sorted((HERE / "bots" / "slack").rglob("*.py")))
#: Forms whose buttons come with later parts; their fields are named already.
LATER = {"log_complaint", "link", "bind"}


def computed() -> set[str]:
    """Every id that the code makes from a code of the rules."""
    ids = {f"verb.{name}" for name in actions.FITS}
    ids |= {f"did.{verb}" for verb in Verb}
    ids |= {f"state.{state}" for state in State} | {f"next.{state}" for state in State}
    ids |= {f"close_code.{code}" for code in CloseCode} | {f"target.{target}" for target in Target}
    ids |= {f"flag.{flag}" for flag in Flag if flag is not Flag.DANGER}
    ids |= {f"flag.reply_{reply}" for reply in ("accept", "disagree")}
    ids |= {f"category.{one}" for one in Category} | {f"kind.{one}" for one in ContactKind}
    ids |= {f"remedy.{one}" for one in Remedy} | {f"evidence.{one}" for one in EVIDENCE}
    ids |= {f"refused.{code}" for code in refusals.CODES}
    ids |= {f"said.{one}" for one in case_view.WORD_FIELDS} | {f"file.{one}" for one in case_view.FILE_KINDS}
    ids |= {f"file.state_{one}" for one in case_view.FILE_STATES} | {
        f"message.{one}" for one in MESSAGE_STATES
    }
    ids |= {f"delivery.{one}" for one in (*DeliveryStatus, *SENT_TO_COMPLAINANT)} | {
        f"delivery.why.{one}" for one in REASONS_WHY
    }
    ids |= {f"left_out.{one}" for one in (*LEFT_OUT, "not_open")}
    ids |= {f"incident.verb.{one}" for one in incident.INCIDENT_BUTTONS}
    ids |= {f"incident.{one}" for one in ("sent", "waiting")}
    ids |= {
        f"incident.field.{one.name.partition('.')[0]}"
        for form in ("incident", "incident_edit", "incident_join", "incident_end", "incident_update")
        for one in fields_of(form, ("en",))
    }
    ids |= {f"to_tell.{one}" for one in LETTERS}
    ids |= {f"rule.{one}" for one in (*RULES, "possible", "past")}
    ids |= {f"who.{one}" for one in ("system", "model", "operator", "complainant")} | {"channel.telegram"}
    ids |= {f"home.{one}" for one in WorklistSection} | {
        f"stats.{one}" for one in command_replies.SHARES_SHOWN
    }
    ids |= {f"criterion.{one}" for one in REASONS} | {f"detail.{kind}" for kind in FACT_KINDS}
    ids |= {f"digest.{one}" for one in ("late", "today", "next")} | {f"why.{code}" for code in STEPS}
    ids |= {f"span.{unit.value}" for unit in Unit}
    staffed = set(Role) - {Role.COMPLAINANT, Role.SYSTEM, Role.MODEL}
    ids |= {f"role.{one}" for one in staffed} | {f"link.{one}" for one in RELATIONS}
    ids |= {f"like.{one}" for one in LinkSuggestion} | {f"like.do.{one}" for one in LinkSuggestion}
    ids |= {f"modal.more_{field.group}" for fields in FORMS.values() for field in fields if field.group}
    for form, fields in FORMS.items():
        for field in fields:
            ids.add(label_id(form, field))
            if field.name in forms._CHOICES:
                ids |= {choice_id(field, value) for value in field.options}
    return ids


def written() -> set[str]:
    """Every id that stands in the code as it is."""
    return {one for one in re.findall(r"[\"']([a-z_]+\.[a-z_.]+)[\"']", SOURCES) if one in TEXTS.ids("en")}


def test_every_language_has_the_same_ids_with_the_same_fields() -> None:
    assert TEXTS.ids("tr") == TEXTS.ids("en")
    assert {one for one in TEXTS.ids("en") if TEXTS.fields("en", one) != TEXTS.fields("tr", one)} == set()


def test_no_text_that_the_code_may_say_is_missing() -> None:
    assert computed() - TEXTS.ids("en") == set()


def test_the_steps_of_a_date_read_the_same_on_the_command_line_and_in_slack() -> None:
    assert {code: TEXTS.raw("en", f"why.{code}") for code in STEPS} == STEPS


def test_no_text_is_left_over() -> None:
    assert TEXTS.ids("en") - computed() - written() == set()


@pytest.mark.parametrize("language", ["en", "tr"])
def test_titles_and_labels_fit_where_slack_puts_them(language: str) -> None:
    long = [
        one
        for one in TEXTS.ids(language)
        for most in (24 if one.startswith(("verb.", "modal.save", "modal.preview", "preview.send")) else 75,)
        if one.split(".")[0] in {"verb", "severity", "safety", "reach", "evidence", "given", "external"}
        and len(TEXTS.say(language, one)) > most
    ]

    assert long == []
    assert len(TEXTS.say(language, "preview.ask_approval")) <= 24


@pytest.mark.parametrize("code", sorted(refusals.CODES))
@pytest.mark.parametrize("language", ["en", "tr"])
def test_every_refusal_has_words(code: str, language: str) -> None:
    case = stages()["assessed"].case
    kinds = {"stale": Stale, "new_message": Stale}
    kind = kinds.get(code, NotAllowed if code.startswith("not_allowed") else BadFacts)

    assert refusals.refusal_text(kind("English", code=code), voice(language), case).strip() != ""


def test_every_code_with_which_the_rules_refuse_a_person_has_words() -> None:
    files = [*(HERE / "complaints").rglob("*.py"), *(HERE / "store").rglob("*.py")]
    used = {code for one in files for code in re.findall(r'code="([a-z_.]+)"', one.read_text())}

    # These say that our own code asked wrongly, which no person can mend.
    assert used - refusals.CODES - {"words_in_facts", "derived"} == set()


def test_what_has_no_words_of_its_own_says_where_it_stands_and_what_is_next() -> None:
    case = stages()["received"].case
    told = refusals.refusal_text(OutOfOrder("English", code="out_of_order.received"), voice(), case)

    assert told == "It stands at “Received”, so this is not possible now: assess it first."
    assert refusals.refusal_text(Stale("English", since=("assign",)), voice(), case) == (
        "This changed meanwhile: Assigned. Look again, then submit once more."
    )
