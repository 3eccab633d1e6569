"""Complaints at every stage, built by performing real acts, for the tests of what staff see."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from bots.slack.staff_texts import StaffTexts
from bots.slack.views.form_modals import FormPrefill
from bots.slack.views.prefill import FormStart, prefill
from bots.slack.views.timeline import shown_messages
from bots.texts.catalogues import load_catalogues
from complaints.actions.intake import Arrival, message_facts
from complaints.actions.perform import perform, receive
from complaints.actors import MODEL, SYSTEM, Actor, complainant, staff
from complaints.case import Case, Event
from complaints.case_values import RecordedSign
from complaints.forms import FORMS
from complaints.rulebook import Calendar, Limit, OnCall, PriorityTargets, Rulebook, Targets
from complaints.vocabulary import Verb
from store.values import FileEntry, OpenedCase, Text

NOW = datetime(2026, 11, 3, 10, 0, tzinfo=UTC)
REF = "A7K-M3Q-9T"
ANNA = complainant("p1")
ALICE = staff("U0000001", "handler")
MONA = staff("U0000002", "manager")
TUGBA = staff("U0000003", "top_management")

RULES = Rulebook(
    organisation="Northwind Water",
    country="GB",
    languages=("en", "tr"),
    staff_language="en",
    emergency_number="112",
    preset="small_business",
    calendar=Calendar("Europe/London", dict.fromkeys(range(5), ((9 * 60, 17 * 60 + 30),))),
    targets=Targets(
        {
            "P1": PriorityTargets("30 min", "4 h", "1 days", "5 bd"),
            "P2": PriorityTargets("4 wh", "1 bd", "2 bd", "5 bd"),
            "P3": PriorityTargets("1 bd", "3 bd", "5 bd", "5 bd"),
            "P4": PriorityTargets("2 bd", "5 bd", "10 bd", "5 bd"),
        },
        legal="10 bd",
    ),
    levels={1: ("handler", "manager"), 2: ("manager", "top_management")},
    authority={"handler": Limit(10000, "GBP"), "manager": Limit(200000, "GBP")},
    on_call=OnCall(always=True, people=("U0000002",)),
)


#: The forms that show the story and the latest messages.
SHOWING_STORY = frozenset(name for name, form in FORMS.items() if form.shows in ("story", "everything"))


@cache
def voice(language: str = "en") -> StaffTexts:
    return StaffTexts(load_catalogues((language,), domain="staff"), language)


def filled_in(form: str, opened: OpenedCase, texts: StaffTexts, **more: Any) -> FormPrefill:
    """What the form starts with when a person presses its button, with the messages that it shows."""
    messages = shown_messages(form, opened, texts)[0] if form in SHOWING_STORY else ()
    arguments = {"events": opened.events, "now": NOW, "waiting_letter": "Dear Anna", **more}
    start = FormStart(opened.case, texts=texts, opened=opened, messages=messages, **arguments)
    return prefill(form, start)


class Story:
    """A complaint that continues act by act, one minute apart."""

    def __init__(
        self, words: str = "My bill is wrong", *, language: str = "en", signs: tuple[RecordedSign, ...] = ()
    ) -> None:
        self.at = NOW
        arrival = Arrival(REF, ANNA.id, "telegram", language, NOW, RULES)
        media = 0 if words else 1
        facts = message_facts(
            field="description", has_words=bool(words), signs=signs, media=media, audible=media
        )
        done = receive(arrival, at=NOW, actor=ANNA, facts=facts, words={"description": words})
        self.case: Case = done.case
        self.events: list[Event] = [done.event]

    def act(
        self,
        verb: Verb,
        by: Actor,
        facts: Mapping[str, Any] | None = None,
        words: Mapping[str, str] | None = None,
    ) -> Story:
        self.at += timedelta(minutes=1)
        done = perform(self.case, verb, at=self.at, actor=by, facts=facts, words=words)
        self.case = done.case
        self.events.append(done.event)
        return self

    def opened(self, *, name: str | None = "Anna", files: tuple[FileEntry, ...] = ()) -> OpenedCase:
        """The complaint as a member sees it after opening it."""
        texts = tuple(
            Text(path, event.seq, text, event.at, None, None)
            for event in self.events
            if event.by == ANNA.id
            for path, text in event.words.items()
        )
        proposal = next((dict(e.facts) for e in reversed(self.events) if e.verb is Verb.PROPOSE), None)
        if proposal is not None:
            proposal |= {"because": [{"word": "bill", "weight": 2.0}], "alternatives": []}
        return OpenedCase(self.case, texts, files, tuple(self.events), (), proposal, {}, name)


def proposed(story: Story, **more: Any) -> Story:
    facts = {
        "words": story.case.words,
        "category": "money",
        "probability": 0.83,
        "severity": 2,
        "safety": 0,
        "abstained": False,
        "restricted": False,
        "model": "m1",
    }
    return story.act(Verb.PROPOSE, MODEL, facts | more)


def assessed(story: Story, by: Actor = ALICE, **more: Any) -> Story:
    facts = {
        "category": "money",
        "severity": 2,
        "safety": 0,
        "complexity": 1,
        "reach": 1,
        "recurrence": 2,
        "immediate_needed": "no",
        "issues": [],
    }
    words = {"override_reason": "looked into"} if story.case.signs else {}
    return story.act(Verb.ASSESS, by, facts | more, words)


def investigated(story: Story, by: Actor = ALICE) -> Story:
    """Investigate with enough evidence for any decision."""
    evidence = ["complainant_heard", "records_checked", "staff_statement", "rule_or_contract"]
    return story.act(Verb.INVESTIGATE, by, {"evidence": evidence}, {"facts": "Read twice."})


def responded(story: Story, by: Actor = ALICE, *, amount: str = "20.00", **more: Any) -> Story:
    """Record a decision with a promised refund."""
    remedy = {
        "type": "refund",
        "amount": amount,
        "currency": "GBP",
        "promised_by_date": "2026-11-20",
        "needs_acceptance": False,
    }
    facts = {
        "issues": [{"finding": "upheld"} for _ in story.case.issues],
        "remedies": [remedy],
        "others_affected": "none",
        "cause_class": "single",
    }
    words = {f"issues.{n}.reasons": "We erred." for n, _ in enumerate(story.case.issues)}
    words |= {"remedies.0.text": "The money back", "root_cause": "A typing error"}
    return story.act(Verb.RESPOND, by, facts | more, words)


def resolved(story: Story, by: Actor = ALICE) -> Story:
    facts = {"finding": "upheld", "cause_class": "single", "others_affected": "none"}
    words = {"done": "Sent it back", "cause": "Read twice", "agreed_how": "As asked"}
    return story.act(Verb.RESOLVE, by, facts, words)


def communicated(story: Story) -> Story:
    """Record that acknowledgement and decision were sent."""
    if not story.case.acks:
        story.act(Verb.ACKNOWLEDGE, SYSTEM, {"level": 1})
    return story.act(Verb.COMMUNICATE_DECISION, SYSTEM)


@cache
def stages() -> dict[str, Story]:
    """A complaint at every stage, by name."""
    danger = (RecordedSign("gas.smell", 4, 3, True, NOW),)
    stories = {
        "received": Story(),
        "received in Turkish": Story("Faturam yanlış", language="tr"),
        "danger": Story("I smell gas", signs=danger),
        "voice only": Story(""),
        "proposed": proposed(Story()),
        "not sure": proposed(Story(), abstained=True),
        "restricted": proposed(Story(), category="staff_conduct", restricted=True),
        "owned": Story().act(Verb.ASSIGN, ALICE, {"owner": ALICE.id}),
        "assessed": assessed(proposed(Story())),
        "assessed gravely": assessed(proposed(Story()), severity=4, safety=1, complexity=3),
        "investigating": investigated(assessed(Story())),
        "waits for approval": responded(investigated(assessed(Story())), amount="500.00"),
        "no complaint": Story().act(Verb.RECLASSIFY, ALICE, {"kind": "praise"}, {"reason": "Only thanks"}),
        "decided": responded(investigated(assessed(Story()))),
        "remedying": communicated(responded(investigated(assessed(Story())))),
        "resolved": communicated(resolved(assessed(Story()))),
        "accepted": communicated(resolved(assessed(Story()))).act(Verb.ACCEPT, ANNA),
        "escalated": communicated(responded(investigated(assessed(Story())))).act(
            Verb.DISAGREE, ANNA, {"reviewers": 2}, {"reason": "No"}
        ),
        "disagreed": communicated(responded(investigated(assessed(Story())))).act(
            Verb.DISAGREE, ANNA, {"reviewers": 0}, {"reason": "No"}
        ),
        "question": communicated(resolved(assessed(Story()))).act(
            Verb.ADD,
            ANNA,
            message_facts(field="question", has_words=True, kind="question"),
            {"question": "When?"},
        ),
        "held": Story().act(Verb.HOLD, MONA, {}, {"reason": "A claim"}),
        "withdrawn": Story().act(Verb.WITHDRAW, ANNA),
    }
    remedied = communicated(responded(investigated(assessed(Story()))))
    remedied.act(Verb.REMEDY_DONE, ALICE, {"remedy": "0", "done_at": "2026-11-03T10:00:00Z"})
    stories["remedy done"] = remedied
    offered = communicated(responded(investigated(assessed(Story())))).act(
        Verb.DISAGREE, ANNA, {"reviewers": 0}, {"reason": "No"}
    )
    stories["recourse offered"] = offered.act(Verb.OFFER_RECOURSE, SYSTEM)
    closed = communicated(resolved(assessed(Story()))).act(Verb.ACCEPT, ANNA)
    stories["closed"] = closed.act(Verb.CLOSE, ALICE, {"cause_class": "single"}, {"root_cause": "Read twice"})
    return stories
