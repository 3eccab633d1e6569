"""An entry of a register: the acts on it, each a version, and what the next act makes of it; samples for audits."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from hashlib import sha256
from typing import Any

from complaints.errors import AlreadyDone, BadFacts, OutOfOrder, UnknownReference
from complaints.forms import WrongFields, read_fields
from complaints.registers.definitions import REGISTERS, Register, RegisterAct
from complaints.rulebook import Rulebook, categories_of
from complaints.vocabulary import Role

_PERCENT = re.compile(r"100|\d{1,2}(\.\d)?", re.ASCII)
_CODE = re.compile(r"([a-z]+)-(\d{1,9})", re.ASCII)
#: Facts that are columns too, so that lists need not open each entry.
OWNER, DUE = "owner", "due"
#: The first and the last day of an entry, in this order.
_SPANS: Mapping[str, tuple[str, str]] = {
    "audit": ("since", "until"),
    "objective": ("since", DUE),
    "review": ("done_on", DUE),
    "training": ("done_on", DUE),
}


@dataclass(frozen=True)
class EntryAct:
    """One act and the entry's state after it; `facts` and `words` are those of this act alone."""

    version: int
    at: datetime
    by: str
    role: Role
    act: str
    facts: Mapping[str, Any]
    words: Mapping[str, str]
    state: str
    owner: str | None
    due: date | None


@dataclass(frozen=True)
class Entry:
    """One entry: its acts in order, the first of which began it."""

    register: Register
    number: int
    acts: tuple[EntryAct, ...]

    @property
    def code(self) -> str:
        return f"{self.register.name}-{self.number}"

    @property
    def last(self) -> EntryAct:
        return self.acts[-1]

    @property
    def version(self) -> int:
        return self.last.version

    @property
    def state(self) -> str:
        return self.last.state

    @property
    def owner(self) -> str | None:
        return self.last.owner

    @property
    def due(self) -> date | None:
        return self.last.due

    @property
    def opened_at(self) -> datetime:
        return self.acts[0].at

    @property
    def is_open(self) -> bool:
        return self.state not in self.register.closed

    def is_overdue(self, today: date) -> bool:
        return self.is_open and self.due is not None and self.due < today

    def is_valid(self, today: date) -> bool:
        """Open, and its due day, such as the end of a training, has not passed."""
        return self.is_open and not self.is_overdue(today)

    @property
    def readers(self) -> frozenset[str]:
        """Who attested that they read it (5.2)."""
        return frozenset(act.by for act in self.acts_of("attest"))

    @cached_property
    def facts(self) -> dict[str, Any]:
        """The facts of the entry as a whole: a later act replaces those of an earlier."""
        return {name: value for act in self._joined() for name, value in act.facts.items()}

    @cached_property
    def words(self) -> dict[str, str]:
        return {name: text for act in self._joined() for name, text in act.words.items()}

    @property
    def refs(self) -> tuple[str, ...]:
        """The complaints that it names."""
        return tuple(self.facts.get("refs", ()))

    def acts_of(self, name: str) -> list[EntryAct]:
        return [act for act in self.acts if act.act == name]

    def _joined(self) -> Iterable[EntryAct]:
        return (act for act in self.acts if not self.register.acts[act.act].is_apart)


def parse_code(text: str) -> tuple[Register, int]:
    """`improvement-12`; raises UnknownReference."""
    match = _CODE.fullmatch(text.strip())
    if match is None or match[1] not in REGISTERS:
        raise UnknownReference.worded("unknown_reference", text=text)
    return REGISTERS[match[1]], int(match[2])


def read_form(
    act: RegisterAct,
    values: Mapping[str, Any],
    languages: Sequence[str],
    options: Mapping[str, tuple[str, ...]],
) -> tuple[dict[str, Any], dict[str, str]]:
    """Facts and words of a filled form; raises WrongFields with every wrong field."""
    fields = act.form(languages)
    facts, words, wrong = read_fields(fields, values, options)
    wrong |= {name: "unknown_field" for name in values if name not in {field.name for field in fields}}
    if "refs" in facts:
        facts["refs"] = [word.upper() for word in re.split(r"[\s,;]+", facts["refs"]) if word]
    if "subject" in facts:
        # As the setting names it: a code.
        facts["subject"] = re.sub(r"\W+", "_", facts["subject"].lower()).strip("_")
    if "target" in facts:
        # As people write it: 97,5 %.
        facts["target"] = facts["target"].strip(" %").replace(",", ".")
    if wrong:
        raise WrongFields(wrong)
    return facts, words


def options_of(rules: Rulebook, refs: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    """The choices that depend on the organisation or on the entry, by the name of the field."""
    return {"category": categories_of(rules), "product": rules.products, "ref": tuple(refs)}


def require_state(entry: Entry | None, act: RegisterAct) -> None:
    """Raise OutOfOrder where the act does not fit the state of the entry."""
    if bool(act.sources) if entry is None else entry.state not in act.sources:
        state = "new" if entry is None else entry.state
        raise OutOfOrder.worded("register_state", act=act.name, state=state)


def next_act(
    entry: Entry | None,
    act: RegisterAct,
    *,
    at: datetime,
    by: str,
    role: Role,
    today: date,
    facts: Mapping[str, Any],
    words: Mapping[str, str],
    target: str | None = None,
) -> EntryAct:
    """The next version of an entry. `target` is the state where the act alone does not say it.

    Raises OutOfOrder, BadFacts, AlreadyDone.
    """
    require_state(entry, act)
    _check(entry, act, by, today, facts, words)
    is_new_day = facts.get(DUE) and (entry is None or facts[DUE] != str(entry.due))
    if (
        is_new_day
        and facts[DUE] < today.isoformat()
        and act.register != "training"
        and role is not Role.SYSTEM
    ):
        # Overdue at once, and no reminder would be sent.
        raise BadFacts.worded("not_ahead:entry_day", field=DUE)
    owner, due = (None, None) if entry is None else (entry.owner, entry.due)
    if not act.is_apart:
        owner = facts.get(OWNER) or owner
        due = date.fromisoformat(facts[DUE]) if facts.get(DUE) else due
    state = target or act.target or ("" if entry is None else entry.state)
    version = 1 if entry is None else entry.version + 1
    kept = {name: text.strip() for name, text in words.items() if text.strip()}
    return EntryAct(version, at, by, role, act.name, dict(facts), kept, state, owner, due)


def _check(
    entry: Entry | None,
    act: RegisterAct,
    by: str,
    today: date,
    facts: Mapping[str, Any],
    words: Mapping[str, str],
) -> None:
    """What the acts need in addition to their form."""
    if facts.get("done_on") and date.fromisoformat(facts["done_on"]) > today:
        raise BadFacts.worded("ahead:entry_day", field="done_on")
    if not act.is_apart and (span := _SPANS.get(act.register)):
        dates = {**(entry.facts if entry is not None else {}), **facts}
        if not facts.keys().isdisjoint(span) and str(dates.get(span[1]) or dates[span[0]]) < dates[span[0]]:
            raise BadFacts.worded("not_ahead:entry_ends", field=span[1])
    if facts.get("target") and not _PERCENT.fullmatch(facts["target"]):
        raise BadFacts.worded("not_a_number", field="target")
    if act.name == "correct" and not facts and not words:
        raise BadFacts.worded("required:no_change")
    match act.register, act.name, entry:
        case _, "approve_letter" | "return_letter", Entry() if waiting_letter(entry) is None:
            raise OutOfOrder.worded("nothing_to_approve:letter")
        case _, "propose_letter", Entry() if waiting_letter(entry) is not None:
            raise OutOfOrder.worded("waits_for_approval:letter")
        case _, "propose_letter", Entry() if not words:
            raise BadFacts.worded("required:text", field="text")
        case "policy", "add", _ if not (words.get("text") or facts.get("link")):
            raise BadFacts.worded("required:policy", field="text")
        case "audit", "answer", Entry() if facts["ref"] not in entry.refs:
            raise BadFacts.worded("not_an_option:sample", field="ref")
        case "audit", "finish", Entry() if not (
            set(entry.refs) <= answers_of(entry).keys() | set(facts.get("left_out", ()))
        ):
            raise OutOfOrder.worded("audit_unanswered")
        case _, "attest", Entry() if by in entry.readers:
            raise AlreadyDone.worded("already_done")


def waiting_letter(entry: Entry) -> EntryAct | None:
    """The letter that waits for a second person; None without one."""
    letters = [act for act in entry.acts if act.act in ("propose_letter", "approve_letter", "return_letter")]
    return letters[-1] if letters and letters[-1].act == "propose_letter" else None


def answers_of(entry: Entry) -> dict[str, EntryAct]:
    """The answers of an audit by complaint; a later answer replaces an earlier one."""
    return {done.facts["ref"]: done for done in entry.acts_of("answer")}


def rank_sample(refs: Iterable[str], seed: str) -> list[str]:
    """All references in the order in which this seed draws them."""
    return sorted(refs, key=lambda ref: (sha256(f"{seed}|{ref}".encode()).digest(), ref))
