"""The jobs of registers: reminders of what is due, and the check whether an improvement helped (8.7)."""

from datetime import date

from bots.slack.jobs.direct_messages import DirectMessageJobs
from bots.slack.views.registers import effect_text, reminder_message
from complaints.times import local_time
from store.improvements import check_effect
from store.outbox.complete import Completed, Outcome
from store.registers import load_entry
from store.rulebooks import load_current_rulebook
from store.values import Obligation


class RegisterJobs:
    def __init__(self, direct: DirectMessageJobs) -> None:
        self.direct = direct
        self.slack = direct.slack

    async def remind(self, obligation: Obligation) -> Outcome:
        """Only while the entry is open, with this due day and an owner."""
        store, texts = self.slack.store, self.slack.texts
        entry = await store.aread(load_entry, str(obligation.facts["code"]))
        due = date.fromisoformat(str(obligation.facts["due"]))
        if not entry.is_open or entry.due != due or entry.owner is None:
            return Completed()
        zone = (await store.aread(load_current_rulebook)).calendar.zone
        is_late = due < local_time(store.now(), zone).date()
        message = reminder_message(
            entry, "register.overdue" if is_late else "register.reminder", texts, day=texts.day(due)
        )
        return await self.direct.send([entry.owner], message, obligation)

    async def check(self, obligation: Obligation) -> Outcome:
        """Count the complaints before and after the change, record the result and inform the owner."""
        about = obligation.facts
        entry = await self.slack.store.awrite(check_effect, str(about["code"]), int(about["version"]))
        if entry is None or entry.owner is None:
            return Completed()
        text = effect_text(entry, self.slack.texts)
        message = reminder_message(entry, "register.checked", self.slack.texts, effect=text)
        return await self.direct.send([entry.owner], message, obligation)
