"""Whole lives of complaints in the store, with restarts, repeats and crashes in between (Hypothesis, both databases).

Messages, acts of staff, claims, sends and crashes in any order leave a record that verifies, in which no message of
a complainant is missing and nothing happened twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from sqlalchemy import select

from complaints.actions.authorisation import authorise
from complaints.actions.intake import message_facts
from complaints.actions.perform import fold
from complaints.actors import MODEL, SYSTEM
from complaints.case import Case, Facts, UnsentLetter
from complaints.case_values import RecordedSign
from complaints.errors import AlreadyDone, ComplaintError, NotAllowed, ReasonNeeded
from complaints.rulebook import Rulebooks
from complaints.vocabulary import Verb
from store.cases.act import act
from store.cases.bind import create_bind_code
from store.cases.export import export_record
from store.cases.incident_acts import schedule_incident_update
from store.cases.outgoing_messages import begin_sending, load_contact, record_sent, record_unsent
from store.cases.read import load_case, load_history, open_case
from store.cases.receive_message import receive_message
from store.cases.redate import preview_redate, redate
from store.cases.staff_intake import log_complaint
from store.custody.erasure import erase
from store.custody.verify import verify
from store.database.errors import UnknownRow
from store.database.transaction import Tx
from store.incidents import open_incident
from store.outbox.claim import claim
from store.outbox.complete import (
    add_due,
    complete,
    end_all_leases,
    fail,
    is_still_required,
    reschedule,
    retry,
)
from store.outbox.failed import FailureReason, give_up_obligation, list_failed, retry_all
from store.people.staff import load_actor, sync_staff
from store.rulebooks import use_rulebook
from store.store import Store, open_store
from store.tables import MESSAGES, OBLIGATIONS
from store.values import (
    Chat,
    Code,
    CodeState,
    Conversation,
    DialogueTurn,
    Member,
    MessageState,
    Obligation,
    PlannedAct,
)
from tests.databases import KEYS, FakeClock, Migrated
from tests.edges.obligation_rows import assert_each_obligation_has_a_row_or_comes_in_time
from tests.edges.store.test_store_incidents import an_update
from tests.rules.builders import MONA, RULES, STAFF
from tests.rules.random_actions import NEXT, RULEBOOKS, WORDS, likely_facts, moment

CHATS = tuple(Chat("telegram", f"7000{number}", "en", "P") for number in range(2))
MEMBERS = tuple(Member(member.id, member.id, (), member.roles) for member in STAFF)
#: The act that an accepted message records, by the kind of its obligation.
ACT_AFTER_SENDING = {
    "acknowledge": Verb.ACKNOWLEDGE,
    "decision": Verb.COMMUNICATE_DECISION,
    "recourse": Verb.OFFER_RECOURSE,
}
#: Acts of staff outside the complaint's usual course.
SIDE_ACTS = (
    Verb.NOTE, Verb.NOTE, Verb.REPLY, Verb.INFORM, Verb.ASK, Verb.DECLARE_CONFLICT, Verb.RESTRICT, Verb.UNRESTRICT,
    Verb.HOLD, Verb.RELEASE, Verb.RELEASE, Verb.RECEIPT, Verb.LINK, Verb.MERGE, Verb.NOT_ACCEPT, Verb.PROPOSE,
    Verb.OFFER_RECOURSE, Verb.NOTIFY_EXTERNAL, Verb.CONCLUDE_EXTERNAL, Verb.REMEDY_DONE, Verb.VERIFY,
)  # fmt: skip
#: Acts without a decision of a person.
UNDECIDED_ACTS = (Verb.LAPSE, Verb.END_FORM, Verb.FAIL_DELIVERY, Verb.REMEDY_LATE)
#: A step of the clock: the same moment, minutes, days, weeks.
SPANS = (0, 0, 1, 20, 60 * 7, 60 * 24 * 2, 60 * 24 * 20)
#: Lease in seconds: an obligation is claimed at most once in the life of a process.
LEASE_SECONDS = 3600.0


@dataclass(frozen=True)
class Plain:
    """Words in which the simple reader recognises nothing."""

    signs: tuple[RecordedSign, ...] = ()
    subjects: tuple[str, ...] = ()


class Desk(RuleBasedStateMachine):
    """One database; a process that crashes and restarts, two people who write, and the staff."""

    new_database: Callable[[], str]
    store: Store

    @initialize(dice=st.integers(0, 2**32))
    def it_starts(self, dice: int) -> None:
        """Tables, rules, staff, and a first message."""
        self.clock, self.url = FakeClock(), type(self).new_database()
        self.store = open_store(self.url, KEYS, self.clock)
        self.store.write(use_rulebook, RULES)
        self.store.write(sync_staff, MEMBERS)
        self.told: dict[str, list[str]] = {}
        self.updates: list[tuple[str, Chat, bool]] = []
        self.in_hand: dict[int, Obligation] = {}
        self.incidents: list[int] = []
        self.erased: set[str] = set()
        #: The complaints that staff logged, by key; the codes that they handed out for them.
        self.logged: dict[str, str] = {}
        self.codes: list[str] = []
        self.showings = count()
        self._hears(Random(dice))

    @rule(dice=st.integers(0, 2**32))
    def something_happens(self, dice: int) -> None:
        """One number for each step; every choice follows from it."""
        drawn = Random(dice)
        drawn.choice(
            (
                self._hears, self._hears_again, self._complainant, self._complainant,
                self._claims, self._claims, *[self._finishes] * 4, self._dies, self._time_passes,
                *[self._beside] * 3, self._by_itself, self._one_cause, self._takes_up_again, self._forgets,
                self._by_voice, *[self._other_rules, self._to_a_chat] * 2,
                # Last, because Hypothesis's favourite number, 0, chooses this.
                *[self._staff] * 7,
            )
        )(drawn)  # fmt: skip

    # incoming messages

    def _hears(self, dice: Random) -> None:
        chat, key = dice.choice(CHATS), f"tg:{len(self.updates)}"
        is_new = dice.random() < 0.08
        self.updates.append((key, chat, is_new))
        self._takes(key, chat, is_new)

    def _hears_again(self, dice: Random) -> None:
        """The connection broke before the update was confirmed: the same update comes once more."""
        receipt = self._takes(*dice.choice(self.updates))
        assert receipt.repeat

    def _takes(self, key: str, chat: Chat, is_new: bool) -> object:
        mine = self.told.setdefault(chat.address, [])
        facts = message_facts(field="description", has_words=True, source=key)
        verb = Verb.RECEIVE if is_new or not mine else Verb.ADD
        before = len(mine)

        def step(talk: Conversation) -> DialogueTurn:
            ref = talk.next_ref if verb is Verb.RECEIVE else mine[-1]
            return DialogueTurn(
                state={"step": "story"}, acts=(PlannedAct(verb, ref, facts, {"description": f"said {key}"}),)
            )

        try:
            receipt = self.store.write(receive_message, key, chat, step)
        except ComplaintError:
            # The complaint is closed in a way that takes no addition: the real dialogue would ask first.
            self.updates = [update for update in self.updates if update[0] != key]
            self.store.write(receive_message, key, chat, lambda talk: DialogueTurn(state=talk.state))
            self.updates.append((key, chat, False))
            return None
        mine += [ref for ref in receipt.refs if ref not in mine]
        assert len(mine) == before + (verb is Verb.RECEIVE and not receipt.repeat)
        return receipt

    # acts of people

    def _complainant(self, dice: Random) -> None:
        chat = dice.choice(CHATS)
        mine = self.told.get(chat.address) or []
        if not mine:
            return
        answers = [Verb.CONFIRM, Verb.ANSWER, Verb.ACCEPT, Verb.DISAGREE] * 4
        ref, verb = dice.choice(mine), dice.choice([*answers, Verb.WITHDRAW])
        facts = likely_facts(dice, verb, self.store.read(load_case, ref), self.clock())
        key = f"tg:press:{dice.random()}"
        try:
            self.store.write(
                receive_message,
                key,
                chat,
                lambda talk: DialogueTurn(talk.state, (PlannedAct(verb, ref, facts, {"words": "no"}),)),
            )
        except ComplaintError:
            return
        assert self.store.write(receive_message, key, chat, lambda talk: DialogueTurn(talk.state)).repeat

    def _staff(self, dice: Random) -> None:
        case = self.store.read(load_case, dice.choice(self._refs()))
        verb = dice.choice(NEXT[case.state])
        if verb is Verb.ASSESS and case.assessment is not None:
            verb = Verb.REASSESS
        may = [member.id for member in MEMBERS if self._lets(case, verb, member.id)] or [
            dice.choice(MEMBERS).id
        ]
        by = dice.choice(may)
        with suppress(NotAllowed, ReasonNeeded):
            self.store.write(open_case, case.ref, self.store.read(load_actor, by), "open")
        self._acts(dice, case, verb, likely_facts(dice, verb, case, self.clock()), by)

    def _beside(self, dice: Random) -> None:
        """Acts outside the usual course: notes, holds, conflicts of interest, restrictions, links."""
        case, verb = self.store.read(load_case, dice.choice(self._refs())), dice.choice(SIDE_ACTS)
        facts = likely_facts(dice, verb, case, self.clock())
        if "other_ref" in facts:
            facts["other_ref"] = dice.choice(self._refs())
        may = [member.id for member in MEMBERS if self._lets(case, verb, member.id)] or [
            dice.choice(MEMBERS).id
        ]
        self._acts(dice, case, verb, facts, dice.choice(may))

    def _one_cause(self, dice: Random) -> None:
        """An incident is opened, a complaint joins it, all its complainants get an update."""
        actor = self.store.read(load_actor, MONA.id)
        if not self.incidents or dice.random() < 0.2:
            opened = self.store.write(open_incident, actor, {}, {"what": "x", "line.en": "x", "line.tr": "x"})
            self.incidents.append(opened.id)
        number, case = dice.choice(self.incidents), self.store.read(load_case, dice.choice(self._refs()))
        if dice.random() < 0.6:
            self._acts(dice, case, Verb.LINK, {"relation": "same_incident", "incident": number}, actor.id)
        else:
            with suppress(ComplaintError):
                self.store.write(
                    schedule_incident_update, an_update(number, {"text.en": "x", "text.tr": "x"}), actor
                )

    def _other_rules(self, dice: Random) -> None:
        """The operator previews what other rules would change in a complaint, and applies them."""
        ref, rules, later = dice.choice(self._refs()), dice.choice(RULEBOOKS), dice.random() < 0.3
        case, rulebooks = self.store.read(load_case, ref), Rulebooks(rules)
        country = {"jurisdiction": rules.country} if dice.random() < 0.9 else {}
        expected_version = dice.choice((None, case.version, case.version, case.version - 1))
        try:
            preview = self.store.read(preview_redate, ref, rulebooks, "x", later=later, **country)
            done = self.store.write(
                redate, ref, rulebooks, "x", later=later, seen_version=expected_version, **country
            )
        except ComplaintError:
            assert self.store.read(load_case, ref) == case
            return
        after = self.store.read(load_case, ref)
        assert done == preview
        assert (after.rules, after.first_rules) == (rules, case.first_rules)
        with pytest.raises(ComplaintError):
            self.store.write(redate, ref, rulebooks, "x", seen_version=case.version, **country)
        assert self.store.read(load_case, ref) == after

    def _by_voice(self, dice: Random) -> None:
        """A phone call: staff log it, and read out a code for it, or a newer one."""
        if not self.logged or dice.random() < 0.4:
            actor, key = self.store.read(load_actor, MONA.id), f"slack:log:{len(self.logged)}"
            facts = {"channel": "phone", "received_at": moment(self.clock(), 30), "language": "en"}
            words = {"description": f"said {key}", "name": "P"}
            self.logged[key] = self.store.write(
                log_complaint, key, facts, words, actor, lambda *_: Plain()
            ).ref
            with pytest.raises(AlreadyDone):
                self.store.write(log_complaint, key, facts, words, actor, lambda *_: Plain())
        ref = dice.choice(list(self.logged.values()))
        case = self.store.read(load_case, ref)
        try:
            code, _ = self.store.write(
                create_bind_code, ref, self.store.read(load_actor, dice.choice(MEMBERS).id)
            )
        except ComplaintError:
            assert self.store.read(load_case, ref) == case
            return
        assert not case.has_chat
        self.codes.append(code)

    def _to_a_chat(self, dice: Random) -> None:
        """A code is sent from a chat: the complaint continues there, once, and belongs to that chat's person."""
        if not self.codes:
            return
        chat, key = dice.choice(CHATS), f"tg:code:{next(self.showings)}"
        sent = dice.choice((*self.codes, "00000000"))
        codes: list[Code] = []

        def step(talk: Conversation) -> DialogueTurn:
            codes.append(talk.check_code(sent))
            return DialogueTurn(state=talk.state, code=sent)

        try:
            self.store.write(receive_message, key, chat, step)
        except ComplaintError:
            return
        assert self.store.write(receive_message, key, chat, step).repeat
        before = codes[0].case
        if codes[0].state is CodeState.FOUND and before is not None:
            mine = self.told.setdefault(chat.address, [])
            assert before.ref not in self._in_chats()
            mine.append(before.ref)
            after = self.store.read(load_case, before.ref)
            assert (before.has_chat, after.has_chat) == (False, True)
            assert self.store.read(load_contact, before.ref) == chat
            assert self._code(chat, sent).state in (CodeState.YOURS, CodeState.LOCKED)

    def _code(self, chat: Chat, sent: str) -> Code:
        """The state of a code for this chat."""
        codes: list[Code] = []

        def step(talk: Conversation) -> DialogueTurn:
            codes.append(talk.check_code(sent))
            return DialogueTurn(talk.state)

        self.store.write(receive_message, f"tg:code:{next(self.showings)}", chat, step)
        return codes[0]

    def _by_itself(self, dice: Random) -> None:
        """What the desk does without a decision of a person."""
        case, verb = self.store.read(load_case, dice.choice(self._refs())), dice.choice(UNDECIDED_ACTS)
        self._acts(dice, case, verb, likely_facts(dice, verb, case, self.clock()), SYSTEM.id)

    def _forgets(self, dice: Random) -> None:
        """A closed complaint is erased; the record still verifies, and no word of it is left."""
        ref = dice.choice(self._refs())
        try:
            self.store.write(erase, ref, "request")
        except ComplaintError:
            return
        self.erased.add(ref)

    def _lets(self, case: Case, verb: Verb, member: str) -> bool:
        with suppress(ComplaintError):
            authorise(case, verb, self.store.read(load_actor, member))
            return True
        return False

    def _acts(self, dice: Random, case: Case, verb: Verb, facts: Facts, by: str) -> None:
        version = dice.choice((None, case.work_version, case.work_version, case.work_version - 1))
        actors_without_roles = {Verb.PROPOSE: MODEL, **dict.fromkeys(UNDECIDED_ACTS, SYSTEM)}
        actor = actors_without_roles.get(verb) or self.store.read(load_actor, by)
        words = {"because": "[]"} if verb is Verb.PROPOSE else WORDS
        try:
            done = self.store.write(act, case.ref, verb, actor, facts, words, version=version)
        except ComplaintError:
            assert self.store.read(load_case, case.ref) == case
            return
        assert as_recorded(done.case) == as_recorded(self.store.read(load_case, case.ref))
        if version is not None:
            # The same press once more is refused and changes nothing.
            with pytest.raises(ComplaintError):
                self.store.write(act, case.ref, verb, actor, facts, words, version=version)
            assert as_recorded(self.store.read(load_case, case.ref)) == as_recorded(done.case)

    # obligations

    def _claims(self, dice: Random) -> None:
        kinds = (
            "acknowledge",
            "decision",
            "recourse",
            "card",
            "thread",
            "progress",
            "letter",
            "closing",
            "survey",
            "dates",
            "tell_by_voice",
        )
        for addition in self.store.write(claim, ("add_due",), dice.randint(0, 3), LEASE_SECONDS):
            self.store.write(add_due, addition)
        claimed = self.store.write(claim, kinds, dice.randint(1, 6), LEASE_SECONDS)
        assert not {obligation.id for obligation in claimed} & set(self.in_hand)
        per_chat = Counter(obligation.chat for obligation in claimed if obligation.chat is not None)
        assert all(number == 1 for number in per_chat.values())
        self.in_hand |= {obligation.id: obligation for obligation in claimed}

    def _finishes(self, dice: Random) -> None:
        if not self.in_hand:
            return
        obligation = self.in_hand.pop(dice.choice(sorted(self.in_hand)))
        try:
            self._finish(dice, obligation)
        except UnknownRow:
            # A chat was connected meanwhile, so its letters go there. The worker lets it be, too.
            assert obligation.kind == "tell_by_voice"

    def _finish(self, dice: Random, obligation: Obligation) -> None:
        if not self.store.read(is_still_required, obligation):
            self.store.write(complete, obligation.id)
        elif obligation.chat is not None and dice.random() < 0.8:
            self._sends(dice, obligation)
        else:
            dice.choice(
                (
                    lambda: self.store.write(complete, obligation.id),
                    lambda: self.store.write(retry, obligation.id, 0.0, "away"),
                    lambda: self.store.write(
                        reschedule, obligation.id, self.clock() + timedelta(hours=1), "quiet"
                    ),
                    lambda: self.store.write(fail, obligation.id, "refused"),
                )
            )()

    def _sends(self, dice: Random, obligation: Obligation) -> None:
        number = self.store.write(
            begin_sending, obligation, "text", template=obligation.kind, language="en", ref=obligation.ref
        )
        how = dice.random()
        if how < 0.2:
            # It crashes here: it is unknown whether the message was sent.
            self.in_hand[obligation.id] = obligation
            self._dies(dice)
        elif how < 0.4:
            self.store.write(record_unsent, number, MessageState.UNCERTAIN, "no answer")
            self.store.write(retry, obligation.id, 0.0, "no answer")
        else:
            verb = ACT_AFTER_SENDING.get(obligation.kind)
            acts = (
                ((str(obligation.ref), verb, SYSTEM, obligation.facts, {}),)
                if verb and obligation.ref
                else ()
            )
            self.store.write(record_sent, number, "1", completes=obligation.id, acts=acts)

    def _takes_up_again(self, dice: Random) -> None:
        """Staff handle the failed obligations: retried, or given up."""
        failed = [row["id"] for row in self.store.read(list_failed) if row["state"] == "failed"]
        if failed and dice.random() < 0.5:
            self.store.write(give_up_obligation, dice.choice(failed), FailureReason.NOT_NEEDED)
        else:
            again = self.store.write(retry_all)
            assert set(again) <= set(failed)

    # crashes and time

    def _dies(self, _: Random) -> None:
        self.store.close()
        self.store = open_store(self.url, KEYS, self.clock)
        # A process alone on a file frees the leases of its predecessor; elsewhere a lease expires.
        self.store.write(end_all_leases)
        self.in_hand = {}

    def _time_passes(self, dice: Random) -> None:
        self.clock.go_on(minutes=dice.choice(SPANS))

    def _refs(self) -> list[str]:
        return list(dict.fromkeys((*self._in_chats(), *self.logged.values())))

    def _in_chats(self) -> list[str]:
        return [ref for mine in self.told.values() for ref in mine]

    def teardown(self) -> None:
        """At the end, check the record against everything that happened."""
        if not hasattr(self, "store"):
            return
        store = self.store
        try:
            assert store.read(verify).first_bad is None
            for ref in self._refs():
                case, events = store.read(load_case, ref), store.read(load_history, ref)
                assert fold(events, case.first_rules) == as_recorded(case)
                acknowledged = Counter(
                    event.facts.get("level") for event in events if event.verb is Verb.ACKNOWLEDGE
                )
                assert all(number == 1 for number in acknowledged.values())
                assert_each_obligation_has_a_row_or_comes_in_time(store, case)
            assert [
                ref for ref in self.erased if any(map(_readable, store.read(export_record, ref)["texts"]))
            ] == []
            received = [key for key, _, _ in self.updates if key in self._kept()]
            written = [key for key, ref in self.logged.items() if ref not in self.erased]
            assert self._recorded_descriptions() == Counter(f"said {key}" for key in (*received, *written))
            sending = select(MESSAGES.c.obligation_id).where(MESSAGES.c.state == MessageState.SENDING.value)
            assert set(store.read(_rows(sending))) <= self._open()
        finally:
            store.close()

    def _recorded_descriptions(self) -> Counter[str]:
        return Counter(
            text["text"]
            for ref in self._remembered()
            for text in self.store.read(export_record, ref)["texts"]
            if text["text"].startswith("said ")
        )

    def _kept(self) -> set[str]:
        """The updates whose words are part of a complaint."""
        return {
            str(event.facts["source"])
            for ref in self._remembered()
            for event in self.store.read(load_history, ref)
            if event.facts.get("source") is not None
        }

    def _remembered(self) -> list[str]:
        return [ref for ref in self._refs() if ref not in self.erased]

    def _open(self) -> set[int]:
        query = select(OBLIGATIONS.c.id).where(OBLIGATIONS.c.state == "open")
        return set(self.store.read(_rows(query)))


def as_recorded(case: Case) -> Case:
    """Whether the owner has left is looked up when a complaint is loaded; no event says it.

    A letter that was just written has its words, and one that was loaded has not: they are read only when needed.
    """

    def recorded(letter: UnsentLetter) -> UnsentLetter:
        before, after = (around and as_recorded(around) for around in (letter.before, letter.after))
        return UnsentLetter(replace(letter.event, words={}), before, after)

    return replace(
        case,
        former_owner=None,
        unsent=tuple(map(recorded, case.unsent)),
        unsent_act=case.unsent_act and recorded(case.unsent_act),
    )


def _readable(text: Mapping[str, object]) -> bool:
    return str(text["text"]).startswith("said ")


def _rows(query: object) -> Callable[[Tx], list[object]]:
    return lambda tx: list(tx.connection.execute(query).scalars())  # type: ignore[call-overload]


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_any_sequence_of_messages_acts_and_crashes_leaves_a_record_that_verifies(
    database: str, request: pytest.FixtureRequest
) -> None:
    with ExitStack() as databases:
        run_state_machine_as_test(
            type("Course", (Desk,), {"new_database": staticmethod(_databases(database, request, databases))}),
            settings=settings(
                max_examples=settings.default.max_examples // 16,
                suppress_health_check=list(HealthCheck),
            ),
        )


def _databases(database: str, request: pytest.FixtureRequest, databases: ExitStack) -> Callable[[], str]:
    """Makes an empty database for each run, and takes the one before it back."""
    if database == "postgres":
        migrated: Migrated = request.getfixturevalue("migrated_on_postgres")

        def on_postgres() -> str:
            databases.close()
            return databases.enter_context(migrated.lent())

        return on_postgres
    template: Path = request.getfixturevalue("sqlite_template")
    folders: pytest.TempPathFactory = request.getfixturevalue("tmp_path_factory")

    def on_sqlite() -> str:
        file = folders.mktemp("life") / "amends.db"
        file.write_bytes(template.read_bytes())
        return f"sqlite:///{file}"

    return on_sqlite
