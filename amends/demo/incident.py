"""One outage in the demo's past: a dozen people, one incident, one update to all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import cycle

from amends.demo.doing import ALICE, Life
from bots.letters import preview
from bots.texts.texts import Texts
from complaints.doing import stamp
from complaints.errors import ComplaintError
from complaints.incidents import SAME_INCIDENT
from complaints.vocabulary import Verb
from store import acting, claiming, incident_updates, incidents, reading
from store.incident_cards import owe_card
from store.transactions import Tx
from triage.example import Example

#: So many of the past's complaints are about it, taken from those that are not far yet.
PEOPLE = 12
EARLY = frozenset({"received", "assessed", "taken", "investigated"})
#: Said after everything else of the past, and before the demo opens.
_OPENED, _TOLD = timedelta(minutes=2, seconds=30), timedelta(minutes=2)

STORIES: Mapping[str, tuple[str, ...]] = {
    "en": (
        "We have had no water in Mill Lane since this morning and nobody answers the telephone.",
        "No water from the kitchen tap since early today, the whole street is dry. When will it be back?",
        "The water went off without any warning, I had to send my children to school unwashed.",
        "There is no water in our building in Mill Lane. I want to know what happened and for how long.",
        "Our café had to close because there was no water all morning.",
    ),
    "tr": (
        "Değirmen Sokak'ta sabahtan beri su yok ve telefona kimse bakmıyor.",
        "Bu sabahtan beri musluktan su akmıyor, bütün sokak susuz. Ne zaman gelecek?",
        "Hiçbir haber verilmeden su kesildi, dükkânımı açamadım.",
    ),
}
WHAT = {
    "what": "Burst main in Mill Lane",
    "area": "Mill Lane",
    "line.en": "A water main burst in Mill Lane this morning. We are repairing it.",
    "line.tr": "Değirmen Sokak'ta bu sabah bir ana su borusu patladı. Onarıyoruz.",
    "signs.en": "no water, water went off, dry",
    "signs.tr": "su yok, su kesil, susuz",
}
UPDATE = {
    "text.en": "The burst main in Mill Lane is being repaired. We expect water again this evening. "
    "Drinking water is handed out at the corner of the bridge.",
    "text.tr": "Değirmen Sokak'taki patlayan boru onarılıyor. Suyun bu akşam gelmesini bekliyoruz. "
    "Köprünün köşesinde içme suyu dağıtılıyor.",
}


@dataclass
class Outage:
    """Takes some of the past's complaints and gives them their incident."""

    lives: list[Life] = field(default_factory=list)
    number: int | None = None
    _told: dict[str, Iterator[str]] = field(
        default_factory=lambda: {language: cycle(stories) for language, stories in STORIES.items()}
    )

    def story(self, course: str, language: str) -> Example | None:
        """What the next complaint tells, where this one is to be about the outage."""
        if course not in EARLY or len(self.lives) == PEOPLE or language not in self._told:
            return None
        return Example(next(self._told[language]), "supply", 2, language)

    def write(
        self, tx: Tx, end: datetime, texts: Texts, keep_promises: Callable[[Tx, datetime], None]
    ) -> None:
        """Open it, let its complaints join, and tell them all once."""
        keep_promises(tx, end - _OPENED)
        tx.now = end - _OPENED
        self.lives = [life for life in self.lives if life.ref]
        if not self.lives:
            return
        began = {"started_at": stamp(min([tx.now, *self._received(tx)]))}
        self.number = incidents.open_incident(tx, ALICE, began, WHAT).id
        for at, life in enumerate(self.lives):
            # The first tells of the telephone too: a matter of its own beside the outage.
            self._join(tx, life, more=at == 0)
        keep_promises(tx, end - _TOLD)
        tx.now = end - _TOLD
        incident_updates.update_all(tx, self.number, ALICE, UPDATE)
        for one in claiming.claim(tx, {incident_updates.KIND}, PEOPLE, 60.0):
            ref, batch = str(one.ref), str(one.facts["batch"])
            case = reading.case(tx, ref)
            words = {"text": incident_updates.update_text(tx, self.number, batch, case.language)}
            words["letter"] = preview("reply", case, {}, words, now=tx.now, texts=texts)
            incident_updates.tell(tx, ref, batch, ALICE, words, settles=one.id)

    def leave_the_card(self, tx: Tx) -> None:
        """The desk posts its card when it starts."""
        if self.number is not None:
            owe_card(tx, self.number, "past")

    def _received(self, tx: Tx) -> list[datetime]:
        return [reading.case(tx, life.ref).received_at for life in self.lives]

    def _join(self, tx: Tx, life: Life, *, more: bool) -> None:
        """A complaint that is not open to her by now (it names somebody) stays by itself."""
        facts = {"relation": SAME_INCIDENT, "incident": self.number, "second_issue": more}
        try:
            acting.act(tx, life.ref, Verb.LINK, ALICE, facts, {})
        except ComplaintError:
            return
