"""The duties that speak to people of staff in private: danger, due times, new owners, approvals, failures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from slack_sdk.errors import SlackApiError

from bots.slack import whom
from bots.slack.blocks import escaped, mention
from bots.slack.card import RESTRICTED, Drawn, next_words
from bots.slack.client import error_of
from bots.slack.desk import Desk
from bots.slack.drawing import purposes
from bots.slack.notices import notice
from bots.slack.pace import Wait
from bots.slack.posting import NETWORK, PERMANENT, Poster, outcome_of
from bots.slack.telling import unexpected
from complaints.case import Case
from complaints.deadlines.local_time import last_day
from complaints.errors import UnknownReference
from complaints.obligations.reminders import leaves_at
from complaints.permissions import may_read
from complaints.vocabulary import Role
from store.cases.read import load_case, load_history
from store.outbox.outcomes import Completed, Failed, Outcome, RateLimited, Rescheduled, Retry
from store.outbox.rows import SPEAKING
from store.people.staff import list_members
from store.slack.posts import is_slack_key_known, record_slack_key
from store.values import Member, Obligation

#: In this time Slack tells who is staff, once it answers.
UNKNOWN_SECONDS = 3.0


class Direct:
    """Direct messages of one desk."""

    def __init__(self, poster: Poster) -> None:
        self.poster = poster
        self.desk: Desk = poster.desk

    async def page(self, owed: Obligation) -> Outcome:
        """`page`: danger, to everybody whose turn it is, every five minutes until somebody has seen it."""
        case, members, now = await self._case(owed), await self._members(), self.desk.store.now()
        if case.danger_at is None or case.danger_receipt_at is not None:
            return Completed()
        zone, voice = case.rules.calendar.zone, self.desk.voice
        place = self._place(case)
        wider = now - case.danger_at >= whom.MANAGERS_AFTER
        text = (
            voice.say("dm.danger_wider", ref=case.ref, place=place, when=voice.moment(case.danger_at, zone))
            if wider
            else voice.say("dm.danger", ref=case.ref, place=place)
        )
        drawn = notice(case, text, voice, ("receipt", "open"))
        round_ = (now - case.danger_at) // whom.PAGE_EVERY
        reached = await self._each(whom.to_page(case, members, now), drawn, owed, round_)
        if isinstance(reached, Retry | RateLimited) and reached.after_seconds is not None:
            # The pace keeps whoever Slack asks us to spare; the others hear again when their five minutes are over.
            rest = case.danger_at + (round_ + 1) * whom.PAGE_EVERY - now
            return replace(reached, after_seconds=min(reached.after_seconds, rest.total_seconds()))
        if not isinstance(reached, Completed):
            return reached
        return Rescheduled(now + whom.PAGE_EVERY, "paged; nobody has said yet that they have seen it")

    async def told_owner(self, owed: Obligation) -> Outcome:
        """`told_owner`: somebody gave this complaint to somebody."""
        case = await self._case(owed)
        event = next(
            one for one in await self.desk.store.aread(load_history, case.ref) if one.seq == owed.facts["seq"]
        )
        if case.owner is None or case.owner != event.facts["owner"]:
            return Completed()
        voice = self.desk.voice
        text = voice.say(
            "dm.told_owner",
            ref=case.ref,
            who=voice.who(event.by, case),
            due=next_words(case, voice, self.desk.store.now(), bold=False),
        )
        forms = ("assess", "open") if case.assessment is None else ("open",)
        return await self._each((case.owner,), notice(case, text, voice, forms), owed)

    async def told_overturned(self, owed: Obligation) -> Outcome:
        """`told_overturned`: whoever decided and agreed hears that an outside body decided otherwise."""
        case, voice = await self._case(owed), self.desk.voice
        known = {one.id for one in await self._members()}
        people = {one for made in case.decisions for one in (made.by, made.approved_by) if one is not None}
        opened = next((one for one in case.improvements if one.seq == owed.facts["seq"]), None)
        if opened is None:
            return Completed()
        day = voice.day(last_day(opened.due, case.rules.calendar.zone))
        drawn = notice(case, voice.say("dm.overturned", ref=case.ref, day=day), voice, ("open",))
        return await self._each(sorted((people & known) - case.denied), drawn, owed)

    async def ask_approval(self, owed: Obligation) -> Outcome:
        """`ask_approval`: everybody who may agree to what waits is asked."""
        case, members, voice = await self._case(owed), await self._members(), self.desk.voice
        if case.drafted is not None:
            who, id_ = case.drafted.by, "dm.ask_approval"
        elif case.reclassification is not None:
            who, id_ = case.reclassification[1], "dm.ask_reclassify"
        elif case.extension is not None:
            who, id_ = case.extension.by, "dm.ask_extension"
        else:
            return Completed()
        due = next_words(case, voice, self.desk.store.now(), bold=False)
        drawn = notice(
            case, voice.say(id_, ref=case.ref, who=mention(who), due=due), voice, ("approve", "open")
        )
        people = whom.to_approve(case, members, self.desk.store.now())
        if not people:
            return Failed("nobody may approve this: name another manager or top management in [roles]")
        return await self._each(people, drawn, owed)

    async def told_failed(self, owed: Obligation) -> Outcome:
        """`told_failed`: something owed was given up, or a message set aside; managers hear of it."""
        voice, members = self.desk.voice, await self._members()
        ref = owed.ref or owed.facts.get("ref")
        people = whom.holding(members, Role.MANAGER) or whom.holding(members, Role.TOP_MANAGEMENT)
        if ref is None:
            text = self._failed_text(owed, "")
            return await self._each(people, Drawn(text, []), owed)
        try:
            case = await self.desk.store.aread(load_case, str(ref))
        except UnknownReference:
            return await self._each(people, Drawn(self._failed_text(owed, str(ref)), []), owed)
        # The card shows it at once; at night only what is urgent wakes anybody.
        opens = leaves_at(case, self.desk.store.now())
        if opens > self.desk.store.now():
            return Rescheduled(opens, "outside working hours")
        told = [
            one.id
            for one in members
            if one.id in {*people, case.owner} and may_read(case, whom.as_actor(one))
        ]
        return await self._each(told, notice(case, self._failed_text(owed, case.ref), voice, ("open",)), owed)

    def _failed_text(self, owed: Obligation, ref: str) -> str:
        voice = self.desk.voice
        if owed.facts.get("kind") == "in":
            return voice.say("dm.set_aside")
        kind = str(owed.facts.get("kind", ""))
        if "id" not in owed.facts:
            # Of a whole kind, which has no number (`store.outbox.failed`).
            return voice.say("dm.nobody_performs", kind=escaped(kind, 60))
        where = voice.say("dm.of_case", ref=ref) if ref else ""
        what = voice.say(f"delivery.{kind}") if kind in SPEAKING else escaped(kind, 60)
        return voice.say("dm.told_failed", what=what, ref=where, number=owed.facts["id"])

    async def each(self, people: Iterable[str], drawn: Drawn, owed: Obligation) -> Outcome:
        """The same for a duty of another module."""
        return await self._each(people, drawn, owed)

    async def _each(
        self, people: Iterable[str], drawn: Drawn, owed: Obligation, round_: int | None = None
    ) -> Outcome:
        """Tell each; one who cannot be told does not keep the others from hearing it.

        Whoever was told in this round (None: until the duty is due anew) is not told again because another was not.
        """
        store, people = self.desk.store, list(people)
        worst: Outcome = Completed()
        if not people and not await self._members():
            # The very first start: who holds which role is being asked for, and this must not be told to nobody.
            return Retry("no staff are known yet", UNKNOWN_SECONDS)
        when = owed.due.isoformat() if round_ is None else round_
        marks = {member: f"told:{owed.id}:{when}:{member}" for member in people}
        told = await store.aread(is_slack_key_known, marks.values())
        for member in (one for one in people if marks[one] not in told):
            try:
                channel = await self.poster.direct(member)
                await self.poster.post(channel, drawn, f"{owed.key}:{member}")
                await store.awrite_with_retry(record_slack_key, marks[member])
            except SlackApiError as failure:
                if error_of(failure) in PERMANENT:
                    unexpected(f"direct message of {owed.kind}", failure)
                else:
                    worst = outcome_of(failure)
            except (Wait, *NETWORK) as failure:
                worst = outcome_of(failure)
        return worst

    def _place(self, case: Case) -> str:
        places = self.desk.places
        home = purposes(case)[0]
        return f"<#{places.restricted if home == RESTRICTED else places.triage}>"

    async def _case(self, owed: Obligation) -> Case:
        return await self.desk.store.aread(load_case, str(owed.ref))

    async def _members(self) -> Sequence[Member]:
        return await self.desk.store.aread(list_members)
