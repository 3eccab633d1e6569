"""The registers in the demo's past: policy, plan, training, an audit, a review, improvements (registers.toml)."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from amends.demo.settings import STAFF
from bots.letters.composer import preview
from bots.texts.texts import Texts
from complaints.actors import SYSTEM, Actor
from complaints.errors import ComplaintError
from complaints.forms import ANSWERS, Input
from complaints.registers.definitions import REGISTERS
from complaints.registers.entries import Entry
from store.cases.read import list_cases
from store.database.transaction import Tx
from store.improvements import check_effect, load_letter, load_letter_audience, record_letter
from store.people.staff import load_actor
from store.proof.hash_chain import record_instance_event
from store.registers import act_on_entry, add_entry, load_entry

STEPS: tuple[Mapping[str, Any], ...] = tuple(
    tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))["step"]
)


@dataclass
class RegisterHistory:
    """Does the steps when the past has come to their time; `refusals` are those that the rules refused."""

    end: datetime
    texts: Texts
    refusals: list[str] = field(default_factory=list)
    _done: int = 0
    _codes: dict[str, str] = field(default_factory=dict)

    def write(self, tx: Tx, until: datetime) -> None:
        """Do the steps up to this time that were not done yet."""
        while self._done < len(STEPS):
            step = STEPS[self._done]
            at = self.end + timedelta(days=step["day"])
            if at > until:
                return
            self._done += 1
            tx.now = max(tx.now, at)
            try:
                self._do(tx, step)
            except ComplaintError as error:
                self.refusals.append(f"{step.get('begin', step.get('of'))}: {error.code}")

    def _do(self, tx: Tx, step: Mapping[str, Any]) -> None:
        by = SYSTEM if step["by"] == "system" else load_actor(tx, STAFF[step["by"]])
        words = step.get("words", {})
        if "log" in step:
            record_instance_event(tx, step["log"], step["facts"])
            return
        if "begin" in step:
            register = REGISTERS[step["begin"]].name
            facts = self._facts(tx, register, step.get("facts", {}))
            entry = add_entry(tx, register, step.get("act", "add"), by, facts, words)
            self._codes[step.get("name", entry.code)] = entry.code
            return
        code = self._codes.get(step["of"], step["of"])
        if "answers" in step:
            self._answer(tx, load_entry(tx, code), by, step["answers"])
            return
        if step["act"] == "check":
            check_effect(tx, code, load_entry(tx, code).version)
            return
        if step["act"] == "propose_letter":
            audience = load_letter_audience(tx, load_entry(tx, code), words, by)
            facts = {"to": [case.ref for case in audience.to], "left_out": len(audience.left_out)}
        else:
            facts = self._facts(tx, code.partition("-")[0], step.get("facts", {}))
        entry = act_on_entry(tx, code, step["act"], by, facts, words)
        if step["act"] == "approve_letter":
            self._send_letters(tx, entry)

    def _facts(self, tx: Tx, register: str, facts: Mapping[str, Any]) -> dict[str, Any]:
        """The facts with days for numbers, ids for names, and references for how many."""
        fields = REGISTERS[register].fields
        values: dict[str, Any] = {}
        for name, value in facts.items():
            if name == "refs":
                closed, _ = list_cases(tx, "closed", category="money", limit=value)
                values[name] = [case["ref"] for case in closed]
            elif fields[name].input is Input.DATE:
                values[name] = (self.end + timedelta(days=value)).date().isoformat()
            else:
                values[name] = STAFF[value] if fields[name].input is Input.STAFF else value
        return values

    def _answer(self, tx: Tx, entry: Entry, by: Actor, finding: str) -> None:
        """The auditor answers for each complaint; the first has a finding."""
        questions = [name for name in entry.register.fields if name.startswith("q_")]
        for number, ref in enumerate(entry.refs):
            facts = {"ref": ref} | dict.fromkeys(questions, ANSWERS[0])
            words = {} if number else {"finding": finding}
            facts |= {} if number else {"q_reasons": ANSWERS[1]}
            act_on_entry(tx, entry.code, "answer", by, facts, words)

    def _send_letters(self, tx: Tx, entry: Entry) -> None:
        approved = load_letter(tx, entry.code, entry.version)
        assert approved is not None
        entry_then, letter = approved
        author = load_actor(tx, letter.by)
        for case in load_letter_audience(tx, entry_then, letter.words, author).to:
            words = {"text": letter.words[f"text.{case.language}"]}
            text = preview("change", case, {}, words, now=tx.now, texts=self.texts)
            record_letter(tx, entry_then, letter, case, author, text, entry.last.by)
