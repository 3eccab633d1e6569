"""The jobs of registers: reminders of what is due, and the check whether an improvement helped (8.7)."""

from datetime import date

from bots.slack import recipients
from bots.slack.client.block_kit import SlackMessage, escaped
from bots.slack.jobs.direct_messages import DirectMessageJobs
from bots.slack.views.registers.messages import alert_message, effect_text, reminder_message
from complaints.actions.authorisation import may_act_on_entry
from complaints.registers.entries import Entry, waiting_letter
from complaints.times import local_time
from store.improvements import check_effect
from store.outbox.complete import Completed, Outcome
from store.people.staff import list_members
from store.registers import load_entry
from store.rulebooks import load_current_rulebook
from store.values import Obligation


class RegisterJobs:
    def __init__(self, direct: DirectMessageJobs) -> None:
        self.direct = direct
        self.slack = direct.slack

    async def remind(self, obligation: Obligation) -> Outcome:
        """While the entry is open with this due day: the owner; without an owner, those who may accept it.

        For an owner who is away or has left, the deputy gets it, or the managers.
        """
        store, texts = self.slack.store, self.slack.texts
        entry = await store.aread(load_entry, str(obligation.facts["code"]))
        due = date.fromisoformat(str(obligation.facts["due"]))
        if not entry.is_open or entry.due != due:
            return Completed()
        zone = (await store.aread(load_current_rulebook)).calendar.zone
        is_late = due < local_time(store.now(), zone).date()
        message = reminder_message(
            entry, "register.overdue" if is_late else "register.reminder", texts, day=texts.day(due)
        )
        if entry.owner is None:
            people = await self._people(entry, "accept", "") if "accept" in entry.register.acts else []
            return await self.direct.send(people, message, obligation)
        members, now = await store.aread(list_members), store.now()
        present = {member.id for member in recipients.present_members(members, now)}
        people = [entry.owner]
        if entry.owner not in present:
            people = recipients.substitutes(entry.owner, members, now)
        return await self.direct.send(people, message, obligation)

    async def check(self, obligation: Obligation) -> Outcome:
        """Count the complaints before and after the change, record the result and inform the owner."""
        about = obligation.facts
        entry = await self.slack.store.awrite(check_effect, str(about["code"]), int(about["version"]))
        if entry is None or entry.owner is None:
            return Completed()
        text = effect_text(entry, self.slack.texts)
        message = reminder_message(entry, "register.checked", self.slack.texts, effect=text)
        return await self.direct.send([entry.owner], message, obligation)

    async def notify(self, obligation: Obligation) -> Outcome:
        """Show an act to the people who approve or answer it, or to the person that it praises."""
        texts, version = self.slack.texts, int(obligation.facts["version"])
        entry = await self.slack.store.aread(load_entry, str(obligation.facts["code"]))
        done = entry.acts[version - 1]
        if done.act == "passed_on":
            text = f"{texts.text('register.praised')}\n{escaped(done.words['text'], 2500)}"
            return await self.direct.send([str(entry.owner)], SlackMessage(text, []), obligation)
        if entry.state == "answered" or (done.act == "propose_letter" and waiting_letter(entry) != done):
            return Completed()
        if done.act == "propose_letter":
            people = await self._people(entry, "approve_letter", done.by)
            message = reminder_message(entry, "register.approval", texts, number=len(done.facts["to"]))
        else:
            people = await self._people(entry, "answer", done.by)
            message = alert_message(entry, texts)
        return await self.direct.send(people, message, obligation)

    async def _people(self, entry: Entry, name: str, author: str) -> list[str]:
        """Everybody who may do this act, without the person whose act leads to it."""
        members, act = await self.slack.store.aread(list_members), entry.register.acts[name]
        return [
            member.id
            for member in members
            if member.id != author and may_act_on_entry(entry, act, recipients.member_actor(member))
        ]
