"""What the evidence file for an outside body adds to the record in words (7.9, F): what was late, and who did what.

Staff appear by role and a number. `evidence.toml` says which acts, words and due times it shows where.
"""

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import get_day_names

from amends.documents.case_file.record_view import RecordView, Row
from amends.documents.case_file.record_words import facts_words, purpose
from amends.documents.facts import has_label, reason_words, value_words
from amends.settings.presets import preset_named
from complaints.actions.intake import MACHINE_MADE
from complaints.actions.registry import LETTER_VERBS
from complaints.rulebook import Rulebook
from complaints.times import local_time

EVIDENCE = tomllib.loads(Path(__file__).with_name("evidence.toml").read_text(encoding="utf-8"))
#: Code points of a text on the first page; later parts have all of it.
_FIRST_WORDS = 280


@dataclass(frozen=True)
class EvidenceView(RecordView):
    """The record with staff by role and number, and with the offset of each time where the clocks changed."""

    made_at: datetime

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """A number for each member of staff who acted or read, in order of first appearance."""
        members = [
            entry["by"] for name in ("events", "reads") for entry in self.record[name] if self.is_staff(entry)
        ]
        return {member: number for number, member in enumerate(dict.fromkeys(members), start=1)}

    @staticmethod
    def is_staff(entry: Row) -> bool:
        return entry["role"] not in ("system", "model", "complainant", "operator")

    def who(self, by: str | None, role: str | None = None) -> str | None:
        if by is None or by not in self.numbers:
            return super().who(by, role)
        return self.label(
            "evidence.member", role=self.labels.code("part", role or "staff"), number=self.numbers[by]
        )

    @cached_property
    def offsets(self) -> list[str]:
        """The offsets from UTC that its times have, the first one first."""
        moments = [self.made_at, *(datetime.fromisoformat(event["at"]) for event in self.record["events"])]
        return list(dict.fromkeys(map(self._offset, sorted(moments))))

    def _offset(self, at: datetime) -> str:
        return f"UTC{at.astimezone(ZoneInfo(self.labels.zone)):%:z}"

    def moment(self, instant: str | None) -> str | None:
        words = super().moment(instant)
        if instant is None or len(self.offsets) == 1:
            return words
        return f"{words} {self._offset(datetime.fromisoformat(instant))}"

    @cached_property
    def due_times(self) -> list[Row]:
        """The due times that a complainant or a law knows of, in every version."""
        return [target for target in self.record["targets"] if target["target"] in EVIDENCE["due_times"]]

    def answered_at(self, target: Row) -> str | None:
        """When a due time was met; that of a decision when the complainant got it, not when it was taken."""
        met: str | None = target["met_at"]
        if target["target"] not in ("decide", "legal"):
            return met
        decided = (
            row for row in self.record["decisions"] if row["at"] >= target["start"] and not row["external"]
        )
        return met and next(filter(None, (row["communicated_at"] for row in decided)), None)

    @cached_property
    def _set_at(self) -> Mapping[tuple[Any, ...], str]:
        """When each version of a due time was set."""
        return {
            _identity(target): event["at"]
            for event in self.record["events"]
            for target in event["facts"].get("targets", ())
        }

    def verdict(self, target: Row) -> tuple[bool, str]:
        """Whether the promised date was missed, and that in words, with how late it was or what came in between."""
        due, closed = datetime.fromisoformat(target["promised_due"]), self.record["closed_at"]
        met, replaced = self.answered_at(target), self._set_at.get(_identity(target, 1))
        end = met or replaced or closed
        late = (datetime.fromisoformat(end) if end else self.made_at) - due
        if late.total_seconds() <= 0:
            outcome = "in_time" if met else "replaced" if replaced else "ended" if closed else "not_due"
            return False, self.label(f"evidence.{outcome}")
        hours = max(1, round(late.total_seconds() / 3600))
        length = value_words("span", f"{hours} h" if hours < 48 else f"{late.days} days", self.labels)
        return True, self.label("evidence.late" if met else "evidence.overdue", length=length)

    def findings(self, decision: Row) -> str:
        codes = dict.fromkeys(row["finding"] for row in decision["findings"])
        return ", ".join(self.labels.code("finding", code) or code for code in codes)


def _identity(target: Row, later: int = 0) -> tuple[Any, ...]:
    return target["target"], target["of"], target["start"], target["version"] + later


def evidence_words(view: EvidenceView, words: Mapping[str, Any], rules: Rulebook) -> dict[str, Any]:
    """The record in `words` with what only this file shows."""
    record, labels = view.record, view.labels
    verdicts = [(target, *view.verdict(target)) for target in view.due_times]
    texts = view.with_translations(record["texts"])
    scheme = preset_named(rules.preset)
    # A time of our own settings has no source, nor has one that they changed.
    of_day = scheme.on(_received_on(view)).rules.items()
    sources = {(name, str(rule.value)): rule.source for name, rule in of_day if rule.certain != "own"}
    added = {
        "texts": (_text(view, row) for row in texts),
        "decisions": (_decision(view, row) for row in record["decisions"]),
        "messages": ({"letter": _letter(view, row)} for row in record["messages"]),
        "targets": (_target(view, row, sources) for row in record["targets"]),
    }
    return {
        **words,
        **{
            name: [row | more for row, more in zip(words[name], rows, strict=True)]
            for name, rows in added.items()
        },
        "zone": labels.zone,
        "offsets": ", ".join(view.offsets),
        "language_name": labels.domains[0].language_name(record["language"], labels.language),
        "first_words": _start(record["description"]),
        "late": [
            f"{labels.code('target', row['target'])}: {late}" for row, is_late, late in verdicts if is_late
        ],
        "message_counts": _message_counts(record["messages"]),
        "course": list(_course(view)),
        "scheme": scheme.title,
        "rules_changed": [
            view.moment(event["at"]) for event in record["events"] if event["verb"] == "redate"
        ],
        "hours": _hours(view, rules),
        "days_off": list(_days_off(view, rules)),
        "workers": [_worker(view, by) for by in _who_worked(view)],
    }


def _received_on(view: EvidenceView) -> Any:
    return local_time(datetime.fromisoformat(view.record["received_at"]), view.labels.zone).date()


def _start(words: str | None) -> str:
    line = " ".join((words or "").split())
    return line if len(line) <= _FIRST_WORDS else f"{line[:_FIRST_WORDS]} …"


def _joined(*parts: str | None, between: str = " · ") -> str:
    return between.join(filter(None, parts))


def _text(view: EvidenceView, row: Row) -> dict[str, Any]:
    """Whether a text is the complainant's, or the reason of staff for an extension, a refusal or another act."""
    event, is_translation = view.events[row["seq"]], row["translates"] is not None
    is_elsewhere = event["verb"] in LETTER_VERBS or event["verb"] in EVIDENCE["words_elsewhere"]
    return {
        "is_complainants": event["role"] == "complainant" or is_translation,
        "is_reason": view.is_staff(event) and not is_elsewhere and not is_translation,
    }


def _decision(view: EvidenceView, row: Row) -> dict[str, Any]:
    reasons = " ".join(finding["reasons"] or "" for finding in row["findings"])
    return {"outcome": view.findings(row), "first_reasons": _start(reasons)}


def _letter(view: EvidenceView, row: Row) -> str | None:
    """What kind of letter a message is; None for another one."""
    # The kind of a letter is what precedes the dot: `closing.resolved`.
    kind = (row["template"] or "").partition(".")[0]
    is_letter = row["direction"] == "out" and has_label("delivery", kind, view.labels)
    return value_words("delivery", kind, view.labels) if is_letter else None


def _target(view: EvidenceView, row: Row, sources: Mapping[tuple[str, str], str | None]) -> dict[str, Any]:
    """What became of a due time, and the law that it comes from."""
    rule = row["basis"].partition(";")[0].partition(",")[0]
    return {
        "is_known": row in view.due_times,
        "source": sources.get((rule, row["span"])),
        "answered_at": view.moment(view.answered_at(row)),
        "verdict": view.verdict(row)[1],
    }


def _message_counts(messages: Sequence[Row]) -> dict[str, str]:
    sent = [message for message in messages if message["direction"] == "out"]
    failed = sum(message["state"] in ("failed", "uncertain", "to_tell") for message in sent)
    counts = {"received": len(messages) - len(sent), "sent": len(sent), "failed": failed}
    return {name: str(number) for name, number in counts.items()}


def _course(view: EvidenceView) -> Iterator[dict[str, Any]]:
    """The main acts in their order, each with the dates that it answered."""
    dates: dict[tuple[str, str], list[str]] = {}
    for target in view.due_times:
        act, at = EVIDENCE["answers"].get(target["target"]), view.answered_at(target)
        if act and at:
            due = f"{view.labels.code('target', target['target'])}: {view.moment(target['promised_due'])}"
            dates.setdefault((act, at), []).append(f"{due} – {view.verdict(target)[1]}")
    for event in view.record["events"]:
        verb = event["verb"]
        if verb in EVIDENCE["main_acts"] and event["facts"].get("kind") not in MACHINE_MADE:
            yield {
                "at": view.moment(event["at"]),
                "did": _act(view, event),
                "facts": facts_words(view, event) if verb in EVIDENCE["with_facts"] else None,
                "answered": "\n".join(dates.get((verb, event["at"]), ())),
            }


def _act(view: EvidenceView, event: Row) -> str:
    """What was done and who did it; what a program sent has no person; a decision has its level and findings."""
    did = view.labels.code("did", event["verb"]) or ""
    own = [row for row in view.record["decisions"] if row["seq"] < event["seq"] and not row["external"]]
    if event["verb"] == "fail_delivery":
        what, why = event["facts"].get("template"), event["facts"].get("because")
        return _joined(did, value_words("template", what, view.labels), reason_words(why, view.labels))
    if event["verb"] == "communicate_decision" and own:
        return f"{did} – {view.label('follow.decision', level=own[-1]['level'])}: {view.findings(own[-1])}"
    return did if event["role"] == "system" else view.did(event)


def _days_off(view: EvidenceView, rules: Rulebook) -> Iterator[str]:
    received, today = _received_on(view), view.made_at.date()
    for day, name in sorted(rules.calendar.holidays.items()):
        if received <= day <= today:
            yield f"{view.labels.date(day)}: {name}"


def _hours(view: EvidenceView, rules: Rulebook) -> str:
    if rules.calendar.always:
        return view.label("evidence.always")
    days = get_day_names("wide", locale=view.labels.language)
    lines: dict[str, list[str]] = {}
    for day, spans in sorted(rules.calendar.hours.items()):
        written = ", ".join(
            f"{start // 60:02}:{start % 60:02}–{end // 60:02}:{end % 60:02}" for start, end in spans
        )
        lines.setdefault(written, []).append(days[day])
    return "\n".join(f"{', '.join(names)}: {written}" for written, names in lines.items())


def _who_worked(view: EvidenceView) -> list[str]:
    return list(dict.fromkeys((*view.numbers, *(entry["by"] for entry in view.record["reads"]))))


def _worker(view: EvidenceView, by: str) -> dict[str, str | None]:
    """A person who acted or read, staff by role and number: what they did, and when and why they opened it."""
    label, code = view.label, view.labels.code
    acts = [event for event in view.record["events"] if event["by"] == by and by in view.numbers]
    reads = [entry for entry in view.record["reads"] if entry["by"] == by]
    roles = dict.fromkeys(code("part", entry["role"]) or "" for entry in (*acts, *reads))
    opened = Counter(purpose(view, entry) for entry in reads)
    days = dict.fromkeys(view.moment(entry["at"]) for entry in (*reads[:1], *reads[-1:]))
    return {
        "who": label("evidence.member", role=", ".join(roles), number=view.numbers[by])
        if by in view.numbers
        else view.who(by, reads[0]["role"]),
        "did": _joined(*dict.fromkeys(code("did", event["verb"]) for event in acts), between=", "),
        "opened": _joined(*(f"{count} × {words}" for words, count in opened.items()), between="\n"),
        "days": _joined(*days, between=" –\n"),
    }
