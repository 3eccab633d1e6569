"""The outage in the demo's past: twelve people complain, one incident joins them, one update goes to all."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import cycle

from amends.demo.actions import ALICE, DemoComplaint
from amends.demo.settings import TEXTS
from bots.letters.composer import preview
from bots.texts.texts import Texts
from complaints.batch import Batch, left_out
from complaints.errors import ComplaintError
from complaints.incidents import SAME_INCIDENT
from complaints.times import format_time
from complaints.vocabulary import Verb
from store import incidents
from store.cases import act, batches, incident_acts, read
from store.database.transaction import Tx
from store.incidents import schedule_card
from store.outbox import claim
from triage.example import Example

#: The number of past complaints about the outage. They come from the courses that have not come far.
INCIDENT_PEOPLE = 12
EARLY_COURSES = frozenset({"received", "assessed", "taken", "investigated"})
#: How long before the demo opens: these are the last events of the past.
_INCIDENT_OPENED, _UPDATE_SENT = timedelta(minutes=2, seconds=30), timedelta(minutes=2)


@dataclass
class Outage:
    """The complaints about the outage and, once it is opened, the number of their incident."""

    complaints: list[DemoComplaint] = field(default_factory=list)
    number: int | None = None
    _stories: dict[str, Iterator[str]] = field(
        default_factory=lambda: {
            language: cycle(stories) for language, stories in TEXTS["outage_stories"].items()
        }
    )

    def example(self, course: str, language: str) -> Example | None:
        """The text of the next complaint about the outage, or None if this complaint is about something different."""
        is_full = len(self.complaints) == INCIDENT_PEOPLE
        if course not in EARLY_COURSES or is_full or language not in self._stories:
            return None
        return Example(next(self._stories[language]), "supply", 2, language)

    def write(
        self, tx: Tx, end: datetime, texts: Texts, complete_due: Callable[[Tx, datetime], None]
    ) -> None:
        """Open the incident, join its complaints, and send one update to all of them."""
        complete_due(tx, end - _INCIDENT_OPENED)
        tx.now = end - _INCIDENT_OPENED
        self.complaints = [complaint for complaint in self.complaints if complaint.ref]
        if not self.complaints:
            return
        receipts = [read.load_case(tx, complaint.ref).received_at for complaint in self.complaints]
        facts = {"started_at": format_time(min([tx.now, *receipts]))}
        self.number = incidents.open_incident(tx, ALICE, facts, TEXTS["incident_words"]).id
        # One is about another matter too. Where a graver reason leaves it out of the update, the next one is.
        cases = [read.load_case(tx, complaint.ref) for complaint in self.complaints]
        twofold = next((case.ref for case in cases if left_out(case) is None), None)
        for complaint in self.complaints:
            self._join(tx, complaint, second_issue=complaint.ref == twofold)
        complete_due(tx, end - _UPDATE_SENT)
        tx.now = end - _UPDATE_SENT
        previewed = Batch(batches.UPDATE, ALICE.id, tx.now, str(self.number), words=TEXTS["update_words"])
        incident_acts.schedule_incident_update(tx, previewed, ALICE)
        for obligation in claim.claim(tx, {batches.UPDATE}, INCIDENT_PEOPLE, 60.0):
            ref, batch = str(obligation.ref), str(obligation.facts["batch"])
            case = read.load_case(tx, ref)
            words = {"text": incident_acts.load_update_text(tx, self.number, batch, case.language)}
            words["letter"] = preview("reply", case, {}, words, now=tx.now, texts=texts)
            incident_acts.record_incident_update(tx, ref, batch, ALICE, words, completes=obligation.id)

    def schedule_card(self, tx: Tx) -> None:
        if self.number is not None:
            schedule_card(tx, self.number, "past")

    def _join(self, tx: Tx, complaint: DemoComplaint, *, second_issue: bool) -> None:
        """Link it to the incident; a complaint that Alice may not open (it names a person) stays separate."""
        facts = {"relation": SAME_INCIDENT, "incident": self.number, "second_issue": second_issue}
        try:
            act.act(tx, complaint.ref, Verb.LINK, ALICE, facts, {})
        except ComplaintError:
            return
