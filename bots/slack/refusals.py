"""A refusal of the rules in words for the person: why, and what to do instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bots.slack.blocks import Block
from bots.slack.voice import Voice
from complaints.actions.decision import required_evidence
from complaints.actions.registry import raises_work_version
from complaints.case import Case, Event
from complaints.errors import AlreadyDone, BadFacts, ComplaintError, OutOfOrder, Stale, UnknownReference
from complaints.forms import WrongFields

#: Every code of the rules that has a text of its own; `refused.<code>` in the catalogue.
CODES: frozenset[str] = frozenset(
    {
        "accepted_before", "ahead", "already_acknowledged", "already_done", "already_ended", "already_so",
        "answered", "as_late_already", "assessed_before", "away_when", "currency", "decided_before",
        "disclosure_not_checked",
        "done_before", "erased", "evidence_missing", "expired", "external_open", "incident_ended",
        "issue_without_finding", "issues_fixed", "language_not_confirmed", "legal_hold", "merged",
        "needs_approval", "new_message", "no_reply", "no_such_target", "nobody_of_staff", "nobody_to_tell",
        "not_a_date", "not_a_email", "not_a_moment", "not_a_number", "not_a_phone", "not_a_reference",
        "not_acknowledged", "not_ahead", "not_allowed", "not_allowed.assign", "not_allowed.excluded",
        "not_allowed.extension_cap", "not_allowed.identity", "not_allowed.identity_locked",
        "not_allowed.incident", "not_allowed.legal_cap", "not_allowed.level", "not_allowed.level_role",
        "not_allowed.limit", "not_allowed.lower", "not_allowed.manager", "not_allowed.other_person",
        "not_allowed.owned", "not_allowed.owner", "not_allowed.read", "not_allowed.restricted",
        "not_allowed.role", "not_allowed.second_person", "not_allowed.severity", "not_allowed.subject",
        "not_an_amount", "not_an_option", "not_assessed", "not_communicated", "not_done", "not_late",
        "not_open_to_you", "not_short", "nothing_to_approve", "nothing_to_receive", "nothing_to_tell",
        "open_offer", "other_closed", "other_incident", "owned_before", "owner_no_handler", "question_open",
        "received_before", "remedy_owed", "required", "same_reference", "stale", "subject_not_heard",
        "too_early", "too_far", "too_long", "top_level", "unknown_incident", "unknown_reference",
        "verified_before", "waits_for_approval", "window_passed",
    }
)  # fmt: skip


def words(error: ComplaintError, voice: Voice, case: Case | None = None) -> str:
    """One or two sentences; codes without a text of their own say it by their kind."""
    if isinstance(error, Stale):
        return _stale(error, voice, case)
    if isinstance(error, AlreadyDone):
        ended = error.code == "incident_ended"
        return voice.say("refused.incident_ended" if ended else "refused.already_done")
    if isinstance(error, UnknownReference):
        unknown = error.code == "unknown_incident"
        return voice.say("refused.unknown_incident" if unknown else "refused.unknown_reference")
    if error.code == "evidence_missing" and case is not None:
        missing = (voice.say(f"evidence.{one}") for one in sorted(required_evidence(case) - case.evidence))
        return voice.say("refused.evidence_missing", missing=", ".join(missing))
    if error.code in CODES:
        return voice.say(f"refused.{error.code}")
    if isinstance(error, OutOfOrder) and case is not None:
        state = voice.say(f"state.{case.state.value}")
        return voice.say("refused.out_of_order", state=state, next=voice.say(f"next.{case.state.value}"))
    return voice.say("refused.not_allowed" if not isinstance(error, BadFacts) else "refused.bad_facts")


def _stale(error: Stale, voice: Voice, case: Case | None) -> str:
    if error.code == "new_message":
        at = case.last_words_at if case is not None else None
        when = voice.clock(at, case.rules.calendar.zone) if case is not None and at is not None else "–"
        return voice.say("refused.new_message", when=when)
    return voice.say("refused.stale", since=since_words(error.since, voice))


def since_words(verbs: Sequence[str], voice: Voice) -> str:
    """`Assigned, Assessed`, in the order in which it happened."""
    return ", ".join(voice.say(f"did.{one}") for one in dict.fromkeys(verbs)) or "–"


def since(events: Sequence[Event], version: int) -> tuple[str, ...]:
    """The verbs that raised the work_version above this one."""
    found: list[str] = []
    reached = 0
    for event in events:
        if raises_work_version(event):
            reached += 1
            if reached > version:
                found.append(event.verb.value)
    return tuple(found)


def errors(
    error: BadFacts, view_blocks: Sequence[Block], voice: Voice, case: Case | None = None
) -> Mapping[str, str]:
    """Errors by block_id for a modal; empty where the error belongs to no input of this view."""
    inputs = [str(one["block_id"]) for one in view_blocks if one.get("type") == "input"]
    if isinstance(error, WrongFields):
        wrong = {
            path: voice.say(f"refused.{why}") if why in CODES else voice.say("refused.bad_facts")
            for path, why in error.fields.items()
        }
    elif error.field is not None:
        wrong = {error.field: words(error, voice, case)}
    else:
        return {}
    shown = {path: text for path, text in wrong.items() if path in inputs}
    elsewhere = [text for path, text in wrong.items() if path not in inputs]
    if elsewhere and inputs and not shown:
        shown[inputs[0]] = elsewhere[0]
    return shown
