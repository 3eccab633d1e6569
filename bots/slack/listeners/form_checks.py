"""What a submitted form is checked for, or what is added to its facts, before its act is tried.

The table of a form names its checks; each returns the facts of the form or raises BadFacts.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bots.slack.context import SlackContext
from bots.slack.payloads import ViewMetadata
from bots.slack.views.open_form import issue_words
from complaints.actions.assessment import issues_are_decided, issues_are_named
from complaints.actions.authorisation import is_allowed
from complaints.actors import Actor
from complaints.case import Case, Facts
from complaints.errors import BadFacts, UnknownReference
from complaints.event_facts import HELD, TAKE_BACK_SECONDS
from complaints.identifiers import parse_reference
from complaints.vocabulary import Verb
from store.record.worklists import require_visible
from triage.letters.letter_warnings import letter_language


@dataclass(frozen=True)
class FilledForm:
    """A form as it was submitted, and the complaint as the record has it."""

    form: str
    verb: Verb
    case: Case
    actor: Actor
    facts: Mapping[str, Any]
    words: Mapping[str, str]
    metadata: ViewMetadata


async def _issues_are_kept(filled: FilledForm, slack: SlackContext) -> Facts:
    """Evidence, findings and decisions name an issue by its number: its words stay. The rules know no words."""
    case, are_decided = filled.case, issues_are_decided(filled.case)
    is_current = case.work_version == filled.metadata.version
    if not (is_current and (are_decided or issues_are_named(case))):
        return filled.facts
    for number, text in enumerate(await issue_words(slack, case)):
        path = f"issues.{number}.text"
        if text and filled.words.get(path, "").split() != text.split():
            if are_decided:
                raise BadFacts.worded("issues_fixed", field=path, ref=case.ref)
            raise BadFacts.worded("issues_investigated", field=path, ref=case.ref)
    return filled.facts


async def _owner_handles(filled: FilledForm, slack: SlackContext) -> Facts:
    """An owner must be able to act, so only people with a handling role get complaints."""
    owner = await slack.actor(str(filled.facts["owner"]))
    if not is_allowed(None, Verb.ASSESS, owner):
        raise BadFacts.worded("owner_no_handler", field="owner")
    return filled.facts


async def _steps_of_others_are_kept(filled: FilledForm, slack: SlackContext) -> Facts:
    """The steps that are done, and those that the form showed as done and that were unticked.

    What another person ticked or unticked while the form was open stays so.
    """
    done, ticked, ticked_before = filled.case.evidence, filled.facts["evidence"], filled.metadata.ticked
    withdrawn = [step for step in ticked_before if step in done and step not in ticked]
    evidence = [step for step in ticked if step in done or step not in ticked_before]
    return {**filled.facts, "evidence": evidence, **({"withdrawn": withdrawn} if withdrawn else {})}


async def _letter_is_held(filled: FilledForm, slack: SlackContext) -> Facts:
    return held(filled.facts, filled.case) if filled.facts["agreed"] == "yes" else filled.facts


async def _other_complaint_is_visible(filled: FilledForm, slack: SlackContext) -> Facts:
    """The complaint to link with, if this person may know of it."""
    ref = await typed_reference(filled.facts["other_ref"], filled.actor, slack, filled.form)
    if ref == filled.case.ref:
        raise BadFacts.worded("same_reference", field="other_ref", ref=ref)
    return {**filled.facts, "other_ref": ref}


async def _language_is_right(filled: FilledForm, slack: SlackContext) -> Facts:
    """A reply that is not surely in the complainant's language needs a confirmation (4.3)."""
    language = filled.case.language
    if language == slack.texts.language or filled.facts.get("language_confirmed"):
        return filled.facts
    if await asyncio.to_thread(letter_language, filled.words.get("text", "")) != language:
        raise BadFacts.worded("language_not_confirmed", field="language_confirmed")
    return filled.facts


#: The checks that forms name in `checks`.
CHECKS: Mapping[str, Callable[[FilledForm, SlackContext], Awaitable[Facts]]] = {
    "issues_are_kept": _issues_are_kept,
    "language_is_right": _language_is_right,
    "letter_is_held": _letter_is_held,
    "other_complaint_is_visible": _other_complaint_is_visible,
    "owner_handles": _owner_handles,
    "steps_of_others_are_kept": _steps_of_others_are_kept,
}


def held(facts: Facts, case: Case) -> Facts:
    """A letter to a chat waits, so that its sender can take it back."""
    return {**facts, HELD: TAKE_BACK_SECONDS} if case.reachable else facts


async def typed_reference(typed: object, actor: Actor, slack: SlackContext, what: str) -> str:
    """The reference in the field `other_ref`; BadFacts, the same for no complaint and one not open to this person."""
    ref = parse_reference(str(typed))
    if ref is None:
        raise BadFacts.worded("not_a_reference", field="other_ref")
    try:
        await slack.store.awrite(require_visible, ref, actor, what)
    except UnknownReference as unknown:
        raise BadFacts(str(unknown), code=unknown.code, field="other_ref") from unknown
    return ref
