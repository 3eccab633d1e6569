"""What no chat takes is told by people: the words on the record, and whoever must tell them is asked."""

from __future__ import annotations

from bots.slack import whom
from bots.slack.direct import Direct
from bots.slack.notices import notice
from complaints.obligations.reminders import leaves_at
from store.cases.read import load_case, load_history
from store.outbox.offline import save_words_to_read_out
from store.outbox.outcomes import Completed, Failed, Outcome, Rescheduled
from store.people.staff import list_members
from store.record.texts import load_event_words
from store.values import Obligation


class ByVoice:
    """The duty `tell_by_voice` of one desk."""

    def __init__(self, direct: Direct) -> None:
        self.direct = direct
        self.desk = direct.desk

    async def ask(self, owed: Obligation) -> Outcome:
        """Write the exact words down, then ask the owner, else those who manage, to tell them.

        The words stand in the opened complaint, never in the message: whoever reads them there leaves a read.
        """
        desk, ref = self.desk, str(owed.ref)
        case = await desk.store.aread(load_case, ref)
        if not case.told_by_people:
            # Bound meanwhile: what is still owed comes by the chat.
            return Completed()
        events = await desk.store.aread(load_history, ref)
        about = str(owed.facts["about"])
        spoken = await desk.do(
            lambda: desk.read_out(
                case,
                about,
                owed.facts,
                events=events,
                words_of=lambda seq: desk.store.read(load_event_words, ref, seq),
                now=desk.store.now(),
            )
        )
        if spoken is None:
            return Completed()
        await desk.store.awrite(
            save_words_to_read_out, owed, spoken.text, template=spoken.template, language=case.language
        )
        # The words stand in the opened complaint from now on; nobody is called to tell them at night.
        opens = leaves_at(case, desk.store.now())
        if opens > desk.store.now():
            return Rescheduled(opens, "outside working hours")
        people = whom.to_tell(case, await desk.store.aread(list_members), desk.store.now())
        if not people:
            return Failed(f"nobody may tell the complainant of {ref}: name a manager in [roles]")
        voice = desk.voice
        how = voice.say(f"channel.{owed.facts['by']}")
        text = voice.say("dm.tell_by_voice", ref=ref, how=how, what=voice.say(f"to_tell.{about}"))
        return await self.direct.each(people, notice(case, text, voice, ("open", "given")), owed)
