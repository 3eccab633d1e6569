"""The questions of the form in their order, and the read-back at its end (docs/domain.md, section 6, B)."""

from __future__ import annotations

from datetime import datetime

from bots.dialogue import incident
from bots.dialogue.buttons import CHANGES, CHECK, CONFIRM, DONE
from bots.dialogue.question_table import BY_STEP, CONFIRMED, ORDER, QUESTIONS, StoryKnowledge
from bots.dialogue.record import DESCRIPTION, ReceivedMessage, add, choose
from bots.dialogue.turn import IDLE, Turn
from complaints.actions.intake import CHILD_WRITING
from complaints.case import Case, Facts
from complaints.deadlines.working_time import due
from complaints.vocabulary import Flag, Target
from triage.intent import cues

#: Where the words of each step lie.
FIELDS = {"story": DESCRIPTION, **{one.step: one.field for one in QUESTIONS}}
#: Lines for children in trouble (docs/domain.md, section 3, Minor), by country.
CHILD_LINES = {"GB": "0800 1111", "TR": "183"}
#: A read-back longer than this is shortened; the whole is in the record.
MOST_SHOWN = 1800


def start(talk: Turn, ref: str) -> None:
    """The first answer: the short receipt, at once; the rest of the burst is the same story (7.2)."""
    talk.go("story", ref, fields={"story": DESCRIPTION}, done=[], burst=0, chosen={})
    plain = "receipt.plain" if is_child(talk, ref) else "receipt"
    talk.say(plain, key=f"receipt:{ref}", ref=ref, buttons=DONE)
    wait_for_more(talk, ref)


def wait_for_more(talk: Turn, ref: str) -> None:
    """The next question leaves 20 s after the last message of the story, asked once."""
    talk.state["burst"] = int(talk.state.get("burst", 0)) + 1
    talk.wake(f"burst:{ref}:{talk.state['burst']}", talk.burst_ends())


def story_goes_on(talk: Turn, ref: str, message: ReceivedMessage) -> None:
    """One more message of the burst; it is answered by silence."""
    add(talk, ref, _field(talk, "story"), message)
    wait_for_more(talk, ref)


def burst_over(talk: Turn, what: str) -> None:
    """Twenty seconds passed: go on, if nothing was said since and the form still stands."""
    _, ref, burst = what.split(":")
    if talk.step == "story" and talk.ref == ref and talk.state.get("burst") == int(burst):
        if talk.form_open(ref):
            ask_next(talk, ref)
        else:
            talk.go(IDLE)


def ask_next(talk: Turn, ref: str) -> None:
    """Ask what is not told yet, or read back; before all whether it is an incident that we know of."""
    if incident.asked(talk, ref, story_of(talk, ref)):
        return
    told = _told(talk, ref)
    done = talk.state.get("done", [])
    open_ones = (one for one in QUESTIONS if one.step not in done)
    following = next((one.step for one in open_ones if one.asks(told) and one.known(told) is None), "check")
    talk.go(following, ref)
    ask(talk, following, ref)


def _told(talk: Turn, ref: str) -> StoryKnowledge:
    """What the choice of the next question depends on."""
    story = story_of(talk, ref)
    rules = frozenset(one.rule for one in talk.reading(story, ref).signs)
    received = talk.received(ref)
    chosen = talk.state.get("chosen", {}) if talk.ref == ref else {}
    return StoryKnowledge(story, cues(story), rules, received, lambda: talk.details(story, received), chosen)


def is_child(talk: Turn, ref: str) -> bool:
    """True where a child seems to write, or said so: the words are plainer then."""
    case = talk.case(ref)
    told = [one.facts["minor"] for one in talk.acts if one.ref == ref and "minor" in one.facts]
    if told:
        return bool(told[-1])
    if case is not None and Flag.MINOR in case.flags:
        return True
    return CHILD_WRITING in _told(talk, ref).rules and not (case is not None and case.adult)


def known(talk: Turn, ref: str) -> dict[str, str]:
    """What the story chose already, by step: shown, not asked, and signed with the read-back."""
    told = _told(talk, ref)
    done = talk.state.get("done", []) if talk.ref == ref else list(ORDER)
    found = {one.step: one.known(told) for one in QUESTIONS if one.step not in done}
    return {step: choice for step, choice in found.items() if choice and (step != "relation" or _other(told))}


def signed(talk: Turn, ref: str) -> Facts:
    """The codes of what the story told and the read-back showed: Send signs them, too."""
    if talk.ref != ref:
        return {}
    return {
        name: value
        for step, choice in known(talk, ref).items()
        for name, value in BY_STEP[step].facts(choice).items()
    }


def _other(told: StoryKnowledge) -> bool:
    return BY_STEP["relation"].asks(told)


def ask(talk: Turn, step: str, ref: str, *, anew: bool = False) -> None:
    """Put the question of this step; what the story told already is shown for a Yes, unless it is asked anew.

    To a child in plainer words where we have them.
    """
    told = None if anew or step not in CONFIRMED else BY_STEP[step].told(_told(talk, ref))
    talk.state["confirms"] = None if told is None else step
    if step == "check":
        read_back(talk, ref)
    elif step == incident.STEP:
        incident.ask(talk, ref)
    elif step == "change":
        talk.say("ask.change", ref=ref, buttons=CHANGES)
    elif told is not None:
        talk.say(f"ask.{step}.told", ref=ref, buttons=CONFIRM, text=_as_read(talk, step, told))
    else:
        plain = f"ask.{step}.plain"
        wanted = plain if talk.texts.has(plain) and is_child(talk, ref) else f"ask.{step}"
        talk.say(wanted, ref=ref, buttons=BY_STEP[step].buttons)


def answered(talk: Turn, ref: str, message: ReceivedMessage) -> None:
    """Words that answer the question that stands; the next one leaves at once."""
    step = talk.step
    facts = _with_relation(talk, ref, step, BY_STEP[step].facts_of_words(message.text))
    add(talk, ref, _new_field(talk, ref, step), message, extra=facts)
    _remember(talk, step, str(facts.get(FIELDS[step], "")))
    _done(talk, step)
    _told_back(talk, ref, facts)
    ask_next(talk, ref)


def chosen(talk: Turn, ref: str, step: str, choice: str) -> None:
    """A button that answers a question; late, it is an addition."""
    _choose(talk, ref, step, choice, BY_STEP[step].facts(choice))


def confirms(talk: Turn) -> bool:
    """True while what the story told already is shown for a Yes."""
    return talk.step in CONFIRMED and talk.state.get("confirms") == talk.step


def confirmed(talk: Turn, ref: str, step: str) -> None:
    """Yes: what the story told is the answer, and is recorded as one; late, it is an addition."""
    one = BY_STEP[step]
    told = one.told(_told(talk, ref))
    if told is not None:
        coded = one.facts(told) if told in one.choices else {}
        _choose(talk, ref, step, told, {**coded, "from_story": True})
    elif talk.step == step and talk.ref == ref:
        # The story was changed since: nothing of it can be confirmed any more.
        ask(talk, step, ref, anew=True)


def _as_read(talk: Turn, step: str, choice: str) -> str:
    """A choice by its label; what the story told in words is words already."""
    return talk.texts.label(talk.language, choice) if choice in BY_STEP[step].choices else choice


def _choose(talk: Turn, ref: str, step: str, choice: str, coded: Facts) -> None:
    label = _as_read(talk, step, choice)
    if talk.step != step and talk.told(ref).get(_field(talk, step)) == label:
        # The same press once more: an app that lost our answer repeats it under a new id.
        return
    facts = _with_relation(talk, ref, step, coded)
    choose(talk, ref, _new_field(talk, ref, step), label, facts)
    if talk.form_open(ref) and talk.ref == ref:
        if choice in BY_STEP[step].choices:
            _remember(talk, step, choice)
        _done(talk, step)
        _told_back(talk, ref, facts)
        ask_next(talk, ref)
    else:
        talk.say("added", ref=ref)
        _told_back(talk, ref, facts)


def _with_relation(talk: Turn, ref: str, step: str, facts: Facts) -> Facts:
    """Somebody else's complaint: what they are to that person is known with it where the story told it."""
    if step != "whom" or facts.get("for_whom") == "for_me":
        return facts
    relation = BY_STEP["relation"].known(_told(talk, ref))
    return {**facts, "relation": relation} if relation else facts


def _told_back(talk: Turn, ref: str, facts: Facts) -> None:
    """What an answer brings at once: a child is shown where help is, and no contact what that means."""
    if facts.get("minor") is True:
        line = CHILD_LINES.get(talk.rules_of(ref).country)
        number = f"\n{talk.line('adult.line', number=line)}" if line else ""
        talk.say("adult.offer", ref=ref, number=number)
    if facts.get("anonymity") == "no_contact":
        talk.say("identity.no_contact", ref=ref)


def _remember(talk: Turn, step: str, choice: str) -> None:
    talk.state["chosen"] = {**talk.state.get("chosen", {}), step: choice}


def skipped(talk: Turn, ref: str, step: str) -> None:
    """Nothing need be answered."""
    if talk.step == step and talk.ref == ref and talk.form_open(ref):
        _done(talk, step)
        ask_next(talk, ref)


def _done(talk: Turn, step: str) -> None:
    talk.state["done"] = [*talk.state.get("done", []), step]


def change(talk: Turn, ref: str, step: str) -> None:
    """Answer one thing anew; what was said stands in the record."""
    done = [one for one in talk.state.get("done", []) if one != step]
    if step == "story":
        _new_field(talk, ref, "story")
        talk.go("story", ref)
        talk.say("ask.story_again", ref=ref, buttons=DONE)
        return
    talk.go(step, ref, done=done)
    ask(talk, step, ref, anew=True)


def story_of(talk: Turn, ref: str) -> str:
    """The story as it stands, message by message, edits included."""
    told = talk.told(ref)
    field = _field(talk, "story") if talk.ref == ref else DESCRIPTION
    # "Change", "The story" and then Done without a word: the story stands as it was.
    return told.get(field) or told.get(talk.newest_version(DESCRIPTION, ref), "")


def field_now(talk: Turn) -> str:
    """The field of the story as it stands."""
    return _field(talk, "story")


def _field(talk: Turn, step: str) -> str:
    """The field that holds what was told at this step last."""
    name: str = talk.state.get("fields", {}).get(step, FIELDS[step])
    return name


def _new_field(talk: Turn, ref: str, step: str) -> str:
    """A field of its own for what is told anew at this step."""
    name = talk.new_version(FIELDS[step], ref)
    if talk.ref == ref:
        talk.state["fields"] = {**talk.state.get("fields", {}), step: name}
    return name


def read_back(talk: Turn, ref: str) -> None:
    """What was written down, to be signed; it carries everything that must be known before (7.1, B)."""
    case, notice = talk.case(ref), talk.rules_of(ref).notice
    talk.say(
        "readback.plain" if is_child(talk, ref) else "readback",
        ref=ref,
        buttons=CHECK,
        step="check",
        text=shortened(story_of(talk, ref)) or talk.line("readback.no_words"),
        details="".join(f"\n{one}" for one in _details(talk, ref)),
        date=talk.day(promised(case), case) if case is not None else talk.line("readback.soon"),
        notice=f"\n{talk.line('readback.notice', notice=notice)}" if notice else "",
    )


def _details(talk: Turn, ref: str) -> list[str]:
    told, chosen_by_story = talk.told(ref), known(talk, ref)
    lines = []
    for step in ORDER:
        text = told.get(_field(talk, step)) if talk.ref == ref else None
        if text is None and step in chosen_by_story:
            text = talk.texts.label(talk.language, chosen_by_story[step])
        if text:
            lines.append(talk.line(f"readback.{step}", text=shortened(text, 400)))
    files = talk.files(ref)
    if files:
        lines.append(talk.texts.count(talk.language, "readback.files", files))
    return lines


def promised(case: Case) -> datetime:
    """The one date that is promised outside: the legal one where there is one, else P4's."""
    target = case.target(Target.DECIDE)
    return target.promised_due if target is not None else case.received_at


def shortened(text: str, most: int = MOST_SHOWN) -> str:
    """The text, cut where it is too long to be read back whole."""
    return text if len(text) <= most else f"{text[:most].rstrip()} […]"


def filed_at(case: Case) -> datetime:
    """When the form is filed as it stands."""
    dialogue, calendar = case.rules.dialogue, case.rules.calendar
    silent = due(case.last_words_at or case.logged_at, dialogue.file_abandoned_after, calendar).at
    return min(silent, due(case.logged_at, dialogue.file_abandoned_at_latest, calendar).at)
