"""One complaint's history in few words for the tests of the reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from amends.documents.labels import load_labels
from complaints.actions.intake import Arrival, message_facts
from complaints.actions.perform import perform, receive
from complaints.actors import MODEL, SYSTEM, Actor, complainant, staff
from complaints.case import Case, Event
from complaints.history import CaseHistory
from complaints.rulebook import Calendar, Limit, PriorityTargets, Rulebook, Targets
from complaints.vocabulary import Role, Verb
from reports.monitoring import Monitoring
from reports.monitoring_report import monitoring_report
from reports.output.render_markdown import as_markdown

LABELS = load_labels(("en",), "Europe/London", staff=True)
#: A Monday; London is at UTC in November.
MONDAY = datetime(2026, 11, 2, 10, 0, tzinfo=UTC)
PERSON = complainant("p1")
HANDLER = staff("U1", Role.HANDLER)
MANAGER = staff("U2", Role.MANAGER)
TOP = staff("U3", Role.TOP_MANAGEMENT)

RULES = Rulebook(
    organisation="Northwind Water",
    country="GB",
    languages=("en", "tr"),
    staff_language="en",
    emergency_number="112",
    preset="small_business",
    calendar=Calendar(hours=dict.fromkeys(range(5), ((540, 1050),))),
    targets=Targets(
        by_priority={
            "P1": PriorityTargets("30 min", "4 h", "1 day", "5 bd"),
            "P2": PriorityTargets("4 wh", "1 bd", "2 bd", "5 bd"),
            "P3": PriorityTargets("1 bd", "3 bd", "5 bd", "10 bd"),
            "P4": PriorityTargets("2 bd", "5 bd", "10 bd", "20 bd"),
        },
    ),
    levels={1: ("handler", "manager"), 2: ("manager", "top_management")},
    authority={"handler": Limit(10_000, "GBP"), "manager": Limit(200_000, "GBP")},
)
LEGAL = replace(RULES, targets=replace(RULES.targets, legal="15 bd"))

EVIDENCE = ["complainant_heard", "records_checked", "staff_statement", "rule_or_contract"]


class Story:
    """A complaint and its clock; `later` moves the clock, every other method acts at once."""

    def __init__(
        self,
        ref: str = "A7K-M3Q-9T",
        *,
        at: datetime = MONDAY,
        rules: Rulebook = RULES,
        channel: str = "telegram",
        language: str = "en",
        **facts: Any,
    ) -> None:
        """Received at `at`; `facts` belong to the first event."""
        self.at = at
        arrival = Arrival(ref, "p1", channel, language, at, rules)
        first = {**message_facts(field="description", has_words=True), **facts}
        done = receive(arrival, at=at, actor=PERSON, facts=first, words={"description": "It leaks."})
        self.case: Case = done.case
        self.events: tuple[Event, ...] = (done.event,)

    @property
    def history(self) -> CaseHistory:
        """The complaint with its events, as the store returns it."""
        return CaseHistory(self.case, self.events)

    def later(self, **span: float) -> Story:
        """Move the clock on, with the arguments of `timedelta`."""
        self.at += timedelta(**span)
        return self

    def do(self, verb: Verb, by: Actor, facts: Mapping[str, Any] | None = None, /, **words: str) -> Story:
        """Perform one verb."""
        texts = {name.replace("__", "."): text for name, text in words.items()}
        done = perform(self.case, verb, at=self.at, actor=by, facts=facts or {}, words=texts)
        self.case, self.events = done.case, (*self.events, done.event)
        return self

    def acknowledge(self) -> Story:
        """The channel accepted the acknowledgement."""
        return self.do(Verb.ACKNOWLEDGE, SYSTEM)

    def propose(self, *, severity: int = 2, category: str = "goods", abstained: bool = False) -> Story:
        """A proposal by the model."""
        return self.do(
            Verb.PROPOSE,
            MODEL,
            {
                "words": 1,
                "category": category,
                "probability": 0.8,
                "severity": severity,
                "safety": 0,
                "abstained": abstained,
                "restricted": False,
                "model": "m1",
            },
        )

    def assess(
        self,
        *,
        severity: int = 2,
        recurrence: int = 2,
        safety: int = 0,
        by: Actor = HANDLER,
        verb: Verb = Verb.ASSESS,
        **facts: Any,
    ) -> Story:
        """A person's assessment; severity 2 and recurrence 2 give P3."""
        return self.do(
            verb,
            by,
            {
                "category": "goods",
                "severity": severity,
                "safety": safety,
                "complexity": 1,
                "reach": 1,
                "recurrence": recurrence,
                "immediate_needed": "no",
                **facts,
            },
            override_reason="Seen on the spot.",
        )

    def inform(self) -> Story:
        """A progress report."""
        return self.do(
            Verb.INFORM,
            HANDLER,
            {"next_date": (self.at + timedelta(days=5)).date().isoformat()},
            done="Asked the depot.",
            left="Its answer.",
        )

    def investigate(self, by: Actor = HANDLER) -> Story:
        """Record all evidence that may be required."""
        return self.do(Verb.INVESTIGATE, by, {"evidence": EVIDENCE}, facts="It leaked.")

    def resolve(self, finding: str = "upheld") -> Story:
        """Resolve at once and communicate it."""
        self.do(
            Verb.RESOLVE,
            HANDLER,
            {"finding": finding, "cause_class": "single", "others_affected": "none"},
            done="Mended.",
            cause="A worn seal.",
            agreed_how="By phone.",
        )
        return self.communicate()

    def decide(
        self, *findings: str, by: Actor = HANDLER, remedies: tuple[Mapping[str, Any], ...] = ()
    ) -> Story:
        """A decision with a finding for each issue; not communicated yet."""
        all_findings = findings or ("upheld",)
        reasons = {f"issues__{n}__reasons": "The log shows it." for n, _ in enumerate(all_findings)}
        texts = {f"remedies__{n}__text": "We will." for n, _ in enumerate(remedies)}
        return self.do(
            Verb.RESPOND,
            by,
            {
                "issues": [{"finding": finding} for finding in all_findings],
                "remedies": list(remedies),
                "others_affected": "none",
                "cause_class": "single",
            },
            root_cause="A worn seal.",
            nothing_why="It is repaired already.",
            **reasons,
            **texts,
        )

    def communicate(self) -> Story:
        """The decision reaches the complainant."""
        return self.do(Verb.COMMUNICATE_DECISION, SYSTEM)

    def accept(self) -> Story:
        return self.do(Verb.ACCEPT, PERSON)

    def disagree(self, reviewers: int = 2) -> Story:
        return self.do(Verb.DISAGREE, PERSON, {"reviewers": reviewers})

    def close(self, by: Actor = HANDLER) -> Story:
        return self.do(Verb.CLOSE, by, {"cause_class": "single"}, root_cause="A worn seal.")

    def resolved(self) -> Story:
        """Acknowledged, assessed and resolved at once."""
        return self.acknowledge().assess().resolve()

    def decided(self, *findings: str, remedies: tuple[Mapping[str, Any], ...] = ()) -> Story:
        """Acknowledged, assessed, investigated, decided and communicated at once."""
        return self.acknowledge().assess().investigate().decide(*findings, remedies=remedies).communicate()


def page(figures: Monitoring) -> str:
    """The report on these figures as a page in English."""
    return as_markdown(monitoring_report(figures, "Europe/London"), LABELS)
