"""The staff's texts: the same ids and fields in every language, none missing or unused, short enough."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from amends.cli.options import Purpose
from bots.dialogue.buttons import REMEDIES
from bots.sign_names import BODY_REPLY_NAMES, RULES
from bots.slack.batches import steps
from bots.slack.batches.bulk_acts import LISTS
from bots.slack.incidents.incident_card import INCIDENT_BUTTONS
from bots.slack.listeners.desk_settings import ABSENCE, CLOSURE
from bots.slack.staff_texts import STORED_CODES
from bots.slack.views import command_replies, refusals, timeline
from bots.slack.views.form_inputs import reader_hint
from bots.texts.catalogues import load_catalogues, shipped_languages
from bots.texts.texts import UnknownText
from complaints.actions.authorisation import READING_REASONS
from complaints.batch import LEFT_OUT
from complaints.deadlines.due_steps import STEPS
from complaints.deadlines.working_time import Unit
from complaints.errors import BadFacts, NotAllowed, OutOfOrder, Stale
from complaints.forms import CARD_ACTS, DESK_FORMS, EVIDENCE, FORMS, NO_ISSUE, NO_PAYMENT, NO_REMEDY, Input
from complaints.incidents import fields_of
from complaints.letter_texts import FIELDS as TEMPLATE_FIELDS
from complaints.obligations.kinds import LETTERS
from complaints.registers.definitions import REGISTERS
from complaints.similarity import LinkSuggestion
from complaints.vocabulary import Category, CloseCode, ContactKind, Flag, Remedy, Role, State, Target, Verb
from store.outbox.deliveries import REASONS as REASONS_WHY
from store.outbox.rows import SENT_TO_COMPLAINANT
from store.record.worklists import WorklistSection
from store.values import DeliveryStatus
from tests.rules.slack_cases import stages, voice
from triage.criteria import REASONS
from triage.facts.fact import FACT_KINDS
from triage.letters.letter_warnings import WARNINGS

LANGUAGES = sorted(shipped_languages(), key=lambda language: language != "en")
TEXTS = load_catalogues(LANGUAGES, domain="staff")
RELATIONS = next(field for field in FORMS["link"].fields if field.name == "relation").options
HERE = Path(__file__).parents[2]
SOURCES = "\n".join(
    file.read_text()
    for file in [*sorted((HERE / "bots" / "slack").rglob("*.py")), HERE / "amends" / "checks.py"]
)


def computed() -> set[str]:
    """Every id that the code builds from a code of the rules."""
    # `talk` is no act of a card: its button is only on direct messages about a danger.
    ids = {f"verb.{name}" for name in (*CARD_ACTS, "talk")}
    ids |= {f"did.{verb}" for verb in Verb}
    ids |= {
        f"did.{verb}.{answer}" for verb in (Verb.APPROVE, Verb.CHECK_DECISION) for answer in ("yes", "no")
    }
    ids |= {f"state.{state}" for state in State} | {f"next.{state}" for state in State}
    ids |= {f"close_code.{code}" for code in CloseCode} | {f"target.{target}" for target in Target}
    ids |= {f"target.{name}" for name in (*BODY_REPLY_NAMES.values(), "conduct.1", "conduct.2")}
    ids |= {f"flag.{flag}" for flag in Flag if flag is not Flag.DANGER}
    ids |= {f"flag.reply_{reply}" for reply in ("accept", "disagree")}
    ids |= {f"flag.no_{held}" for held in ("cutoff", "collection", "collection_cutoff")}
    ids |= {f"category.{category}" for category in Category} | {f"kind.{kind}" for kind in ContactKind}
    ids |= {f"remedy.{remedy}" for remedy in Remedy} | {f"evidence.{kind}" for kind in EVIDENCE}
    ids |= refusal_ids()
    ids |= {f"said.{field}" for field in timeline.WORD_FIELDS} | {
        f"file.{kind}" for kind in timeline.FILE_KINDS
    }
    ids |= {f"file.state_{state}" for state in timeline.FILE_STATES} | {
        f"message.{state}" for state in timeline.MESSAGE_STATES
    }
    ids |= {f"delivery.{status}" for status in (*DeliveryStatus, *SENT_TO_COMPLAINANT)} | {
        f"delivery.why.{reason}" for reason in REASONS_WHY
    }
    ids |= {f"left_out.{reason}" for reason in LEFT_OUT}
    ids |= {f"incident.verb.{verb}" for verb in (*INCIDENT_BUTTONS, "approve")}
    ids |= {f"incident.{state}" for state in ("sent", "waiting", "accept", "disagree")}
    ids |= {f"incident.field.{name}" for name in ("reasons", "remedy_text", "changes")}
    ids |= {
        f"incident.field.{field.name.partition('.')[0]}"
        for form in ("incident", "incident_edit", "incident_join", "incident_end", "incident_update")
        for field in fields_of(form, ("en",))
    }
    ids |= {f"template.example_{name}" for name in TEMPLATE_FIELDS}
    ids |= {field.label for form in DESK_FORMS.values() for field in form.fields}
    ids |= {f"{form}.{part}" for form in (ABSENCE, CLOSURE) for part in ("title", "hint")}
    ids |= {f"bulk.list_{section}" for section in LISTS}
    for register in REGISTERS.values():
        ids |= {f"register.name.{register.name}"} | {
            f"register.field.{name}" for name in register.labels.values()
        }
        ids |= {f"register.act.{act}" for act in register.acts}
        ids |= {f"register.state.{state}" for state in register.states}
        ids |= {
            f"{register.choices[name]}.{option}"
            for name, field in register.fields.items()
            for option in field.options
            if not option.isdecimal()
        }
    ids |= {f"to_tell.{letter}" for letter in LETTERS}
    ids |= {f"rule.{rule}" for rule in (*RULES, "possible", "past")}
    ids |= {f"who.{actor}" for actor in ("system", "model", "operator", "complainant")} | {"channel.telegram"}
    ids |= {f"home.{section}" for section in WorklistSection} | {
        f"stats.{share}" for share in command_replies.SHARES_SHOWN
    }
    ids |= {f"criterion.{reason}" for reason in REASONS} | {f"detail.{kind}" for kind in FACT_KINDS}
    ids |= {f"{group}.{code}" for group in ("letter_warning", "warned") for code in (*WARNINGS, NO_PAYMENT)}
    ids |= {f"field.{NO_PAYMENT}"}
    ids |= {f"asked_for.{remedy}" for remedy in REMEDIES} | {f"remedy.{NO_REMEDY}", f"category.{NO_ISSUE}"}
    ids |= {f"digest.{section}" for section in ("late", "today", "next")} | {f"why.{code}" for code in STEPS}
    ids |= {f"span.{unit.value}" for unit in Unit}
    ids |= {f"reading.{reason}" for reason in (*READING_REASONS, *Purpose)}
    staffed = set(Role) - {Role.COMPLAINANT, Role.SYSTEM, Role.MODEL}
    ids |= {f"role.{role}" for role in staffed} | {f"link.{relation}" for relation in RELATIONS}
    ids |= {f"like.{suggestion}" for suggestion in LinkSuggestion} | {
        f"like.do.{suggestion}" for suggestion in LinkSuggestion
    }
    ids |= {f"modal.more_{group}" for form in FORMS.values() for group in form.groups}
    for form in FORMS.values():
        for field in form.fields:
            ids.add(field.label)
            ids |= {hint} if (hint := reader_hint(field)) is not None else set()
            if field.input is not Input.AMOUNT:
                ids |= {f"{field.choices}.{value}" for value in field.options}
    return ids


def refusal_codes() -> set[str]:
    """Every code with which the rules and the store refuse an act."""
    files = [*(HERE / "complaints").rglob("*.py"), *(HERE / "store").rglob("*.py")]
    named_code = re.compile(r'(?:code=|worded\(\s*)"([a-z_.]+)[":]')
    return {code for file in files for code in named_code.findall(file.read_text())}


def refusal_ids() -> set[str]:
    """The texts of codes and of fields that are needed only in some cases; each must be in a module by its code."""
    places = [
        file.read_text() for room in ("bots", "complaints", "store") for file in (HERE / room).rglob("*.py")
    ]
    words = {"not_a_email", "not_a_phone", *re.findall(r"[\"']([a-z_.]+)[\"':]", "\n".join(places))}
    fields = {field.path.replace(".N.", ".") for form in FORMS.values() for field in form.fields} | {
        "row",
        "started_at",
    }
    wanted = {f"refused.{word}" for word in words} | {f"refused.required.{field}" for field in fields}
    return wanted & TEXTS.ids("en")


def written() -> set[str]:
    """Every id that is written in the code in full."""
    return {id_ for id_ in re.findall(r"[\"']([a-z_]+\.[a-z_.]+)[\"']", SOURCES) if id_ in TEXTS.ids("en")}


def test_no_text_that_the_code_uses_is_missing() -> None:
    assert computed() - TEXTS.ids("en") == set()


def test_date_steps_have_the_same_texts_on_the_command_line_and_in_slack() -> None:
    assert {code: TEXTS.raw("en", f"why.{code}") for code in STEPS} == STEPS


def test_no_text_is_unused() -> None:
    assert TEXTS.ids("en") - computed() - written() == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_titles_and_labels_are_within_slacks_limits(language: str) -> None:
    too_long = [
        id_
        for id_ in TEXTS.ids(language)
        for limit in (24 if id_.startswith(("verb.", "modal.save", "modal.preview", "preview.send")) else 75,)
        if id_.split(".")[0] in {"verb", "severity", "safety", "reach", "evidence", "given", "external"}
        and len(TEXTS.text(language, id_)) > limit
    ]

    assert too_long == []
    assert len(TEXTS.text(language, "preview.ask_approval")) <= 24


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_refusal_has_a_text(language: str) -> None:
    case = stages()["assessed"].case
    kinds = dict.fromkeys(("stale", "new_message", "not_read"), Stale)
    for code in sorted(refusal_codes()):
        kind = kinds.get(code, NotAllowed if code.startswith("not_allowed") else BadFacts)
        assert refusals.refusal_text(kind("English", code=code), voice(language), case).strip() != "", code


def test_every_refusal_code_of_the_rules_has_a_text() -> None:
    # These mean a mistake in our own code, which staff cannot correct.
    own_mistakes = {"words_in_facts", "derived"}
    assert {f"refused.{code}" for code in refusal_codes() - own_mistakes} - TEXTS.ids("en") == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_code_that_a_newer_release_stored_has_a_general_text(language: str) -> None:
    texts = voice(language)
    shown = {texts.text(f"{family}.of_a_newer_release") for family in STORED_CODES}
    assert shown == {texts.text("code.unknown")}
    line = str(steps.left_to_person([("A7K-M3Q-9T", "newer_reason")], texts))
    assert f"{texts.text('code.unknown')} 1" in line
    # A newer reason may be one that hides which complaints it is about.
    assert "A7K-M3Q-9T" not in line
    with pytest.raises(UnknownText):
        texts.text("verb.of_a_newer_release")


def test_a_refusal_without_its_own_text_names_the_state_and_the_next_step() -> None:
    case = stages()["received"].case
    text = refusals.refusal_text(OutOfOrder("English", code="out_of_order.received"), voice(), case)

    assert text == "It is at “Received”, so this is not possible now: assess it first."
    assert refusals.refusal_text(Stale("English").after(["assign"]), voice(), case) == (
        "This changed meanwhile: Assigned. Look again, then submit once more."
    )
