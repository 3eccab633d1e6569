"""Registers in Slack: the list of one, an entry with its acts, the form of an act, and messages about entries."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from bots.slack.client.block_kit import (
    MODAL_BLOCKS,
    Block,
    SlackMessage,
    actions,
    button,
    context,
    cut,
    escaped,
    mention,
    option,
    plain,
    plain_sections,
    section,
)
from bots.slack.staff_texts import StaffTexts
from bots.slack.views.form_inputs import input_block
from bots.slack.views.form_modals import View, metadata, modal
from complaints.actions.authorisation import may_act_on_entry
from complaints.actors import MODEL_ID, OPERATOR_ID, SYSTEM_ID, Actor
from complaints.forms import Field, Input
from complaints.registers.definitions import REGISTERS, Register, RegisterAct
from complaints.registers.entries import Entry, answers_of, options_of
from complaints.rulebook import Rulebook

FORM, LIST, ENTRY = "register", "register_list", "register_entry"
#: Own entries on the first page of the home, and those that wait.
HOME_ROWS = 2
#: Characters of the name of an entry in a line.
_NAME_LENGTH = 200
#: Acts of an entry that are shown: the newest.
_HISTORY = 20


def home_blocks(
    counts: Mapping[str, Mapping[str, int]],
    own: Sequence[Entry],
    unattested: Sequence[Entry],
    waiting: Sequence[tuple[Entry, RegisterAct]],
    actor: Actor,
    texts: StaffTexts,
) -> list[Block]:
    """A menu of the registers with their figures; a policy to read, otherwise what is due of this person or waits."""
    readable = [register for register in REGISTERS.values() if may_act_on_entry(None, register, actor)]
    options = []
    for register in readable:
        states = counts[register.name]
        is_open = sum(states.values()) - sum(states.get(name, 0) for name in (*register.closed, "overdue"))
        figures = texts.text("register.figures", open=is_open, overdue=states.get("overdue", 0))
        options.append(option(register.name, cut(f"{register_name(register, texts)}: {figures}", 75)))
    if not options:
        return []
    menu = {
        "type": "static_select", "action_id": "home.register", "options": options,
        "placeholder": plain(texts.text("modal.choose"), 150),
    }  # fmt: skip
    blocks = [section(f"*{texts.text('register.title')}*", block_id="registers", accessory=menu)]
    for policy in unattested[:1]:
        row = [
            button(texts.text("register.open"), "register.open", policy.code),
            _act_button(policy, policy.register.acts["attest"], texts) | {"style": "primary"},
        ]
        blocks += [section(entry_line(policy, texts)), actions("home.policy", row)]
    if unattested:
        return blocks
    blocks += [entry_row(entry, texts, "home.") for entry in own[:HOME_ROWS]]
    for entry, act in waiting[:HOME_ROWS]:
        waits = entry_row(entry, texts, "home.waiting.")
        waits["text"]["text"] += f" · *{act_name(act, texts)}*"
        blocks.append(waits)
    return blocks


def list_view(register: Register, entries: Sequence[Entry], actor: Actor, texts: StaffTexts) -> View:
    """The entries that are open by their due day, then the others, each with a button that opens it."""
    row = [
        button(act_name(act, texts), f"register.new.{act.name}", f"{register.name}:{act.name}")
        for act in register.first_acts
        if may_act_on_entry(None, act, actor)
    ]
    blocks = [actions("register.new", row)] if row else []
    ordered = sorted(entries, key=lambda entry: (not entry.is_open, entry.due or date.max, -entry.number))
    room = MODAL_BLOCKS - 3
    blocks += [entry_row(entry, texts) for entry in ordered[:room]]
    if not entries:
        blocks.append(section(texts.text("register.none")))
    if len(ordered) > room:
        blocks.append(context(texts.text("register.more", number=len(ordered) - room)))
    return modal(texts, LIST, metadata(register.name, 0), blocks, title=f"register.name.{register.name}")


def entry_row(entry: Entry, texts: StaffTexts, prefix: str = "") -> Block:
    return section(
        entry_line(entry, texts),
        block_id=f"{prefix}{entry.code}",
        accessory=button(texts.text("register.open"), "register.open", entry.code),
    )


def entry_line(entry: Entry, texts: StaffTexts) -> str:
    """`*Read the meter twice* (improvement-12) · Open · @alice · due Wed 4 Nov 2026`."""
    parts = [f"*{escaped(entry_name(entry, texts), _NAME_LENGTH)}* ({entry.code})"]
    parts.append(state_name(entry.register, entry.state, texts))
    parts += [mention(entry.owner)] if entry.owner else []
    if entry.due and entry.is_open:
        parts.append(texts.text("register.due", day=texts.day(entry.due)))
    return " · ".join(parts)


def entry_view(
    entry: Entry,
    visible: Sequence[str],
    actor: Actor,
    texts: StaffTexts,
    *,
    zone: str,
    notes: Sequence[str] = (),
) -> View:
    """What an entry holds, what was done to it, and a button for each act that this person may do now.

    `visible` are its complaints that this person may know of; `notes` are lines about this very register.
    """
    blocks = [section(entry_line(entry, texts))]
    for field in entry.register.fields.values():
        label = f"*{field_name(entry.register, field.name, texts)}:*"
        words = entry.words.get(field.name, "") if field.sealed else ""
        if len(words) > (_NAME_LENGTH if field.name == entry.register.name_field else 0):
            # In full: who attests to a policy, or approves by it, must see every word.
            blocks += [section(label), *plain_sections(words)]
        elif text := _value_text(entry, field, visible, texts):
            blocks.append(section(f"{label} {text}"))
    effect = effect_text(entry, texts)
    blocks += [section(line) for line in (effect, *notes) if line]
    if entry.register.name == "audit":
        blocks += _sample(entry, visible, texts)
    row = [
        _act_button(entry, act, texts)
        for act in entry.register.acts.values()
        if entry.state in act.sources and may_act_on_entry(entry, act, actor)
    ]
    blocks += [actions("register.acts", row[:25])] if row else []
    history = [
        texts.text(
            "register.history", when=texts.moment(done.at, zone), who=_who(done.by, texts),
            act=act_name(entry.register.acts[done.act], texts), state=state_name(entry.register, done.state, texts),
        )
        for done in reversed(entry.acts[-_HISTORY:])
    ]  # fmt: skip
    blocks.append(context("\n".join(history)))
    stored = metadata(entry.code, entry.version)
    return modal(texts, ENTRY, stored, blocks[:MODAL_BLOCKS], title=f"register.name.{entry.register.name}")


def _act_button(entry: Entry, act: RegisterAct, texts: StaffTexts) -> Block:
    """The button of an act; an act without a form is done by the press, so Slack asks first."""
    name = act_name(act, texts)
    block = button(name, f"register.act.{act.name}", f"{entry.code}:{act.name}")
    if not act.fields:
        block["confirm"] = {
            "title": plain(name, 100),
            "text": plain(texts.text("register.confirm"), 300),
            "confirm": plain(name, 30),
            "deny": plain(texts.text("modal.cancel"), 30),
        }
    return block


def _sample(entry: Entry, visible: Sequence[str], texts: StaffTexts) -> list[Block]:
    """A row for each complaint of an audit with its answers; the auditor opens it from here."""
    answers, rows = answers_of(entry), []
    for number, ref in enumerate(ref for ref in entry.refs if ref in visible):
        done = answers.get(ref)
        text = texts.text("register.unanswered")
        if done is not None:
            values = [value for name, value in done.facts.items() if name.startswith("q_")]
            text = texts.text("register.answers", yes=values.count("yes"), no=values.count("no"))
        open_it = button(texts.text("verb.open"), "case.open", ref)
        rows.append(section(f"{ref} · {text}", block_id=f"actions:0.{number}", accessory=open_it))
    return rows


def act_form(
    register: Register,
    act: RegisterAct,
    entry: Entry | None,
    rules: Rulebook,
    languages: Sequence[str],
    texts: StaffTexts,
    initial: Mapping[str, Any] | None = None,
    visible: Sequence[str] = (),
) -> View:
    """The form of an act; that of a correction starts with what the entry holds.

    `visible` are the complaints of the entry that this person may know of.
    """
    values = {"refs": visible, **(initial or {})} if visible else dict(initial or {})
    options = options_of(rules, visible)
    if entry is not None and not act.is_apart:
        facts = {name: value for name, value in entry.facts.items() if name != "refs"}
        values = {**facts, **entry.words, **values}
    if "refs" in values:
        values["refs"] = ", ".join(values["refs"])
    blocks = []
    for field in act.form(languages):
        base, _, language = field.name.partition(".")
        label = field_name(register, base, texts)
        if language:
            label = f"{label} ({texts.language_name(language)})"
        if field.input is Input.CHOICE and not options.get(base, field.options):
            # Slack refuses a choice without options: the organisation names no products.
            continue
        choices = tuple(
            (value, choice_name(register, base, value, texts)) for value in options.get(base, field.options)
        )
        blocks.append(
            input_block(
                field, field.name, texts, initial=values.get(field.name), choices=choices or None, label=label
            )
        )  # fmt: skip
    ref, version = (f"{register.name}:", 0) if entry is None else (entry.code, entry.version)
    stored = metadata(ref, version, act=act.name)
    return modal(texts, FORM, stored, blocks, title=f"register.name.{register.name}", submit="modal.save")


def entry_name(entry: Entry, texts: StaffTexts) -> str:
    """What names it in a list: the words of its name; without them the choice of its source."""
    name = entry.register.name_field
    value = entry.words.get(name) or entry.facts.get(name)
    field = entry.register.fields[name]
    if value and field.input is Input.CHOICE:
        return choice_name(entry.register, name, str(value), texts)
    if value and field.input is Input.DATE:
        return texts.day(date.fromisoformat(str(value)))
    source = entry.facts.get("source")
    return (
        str(value)
        if value
        else choice_name(entry.register, "source", source, texts)
        if source
        else entry.code
    )


def register_name(register: Register, texts: StaffTexts) -> str:
    return texts.text(f"register.name.{register.name}")


def act_name(act: RegisterAct, texts: StaffTexts) -> str:
    return texts.text(f"register.act.{act.name}")


def state_name(register: Register, state: str, texts: StaffTexts) -> str:
    return texts.text(f"register.state.{state}")


def field_name(register: Register, name: str, texts: StaffTexts) -> str:
    return texts.text(f"register.field.{register.labels[name]}")


def choice_name(register: Register, field: str, value: str, texts: StaffTexts) -> str:
    """The name of an option; a reference, and a number without a name, are their own."""
    prefix = register.choices[field]
    is_number = value.isdecimal() and prefix.startswith("register.")
    return texts.text(f"{prefix}.{value}") if prefix and not is_number else value


def _value_text(entry: Entry, field: Field, visible: Sequence[str], texts: StaffTexts) -> str:
    """A fact of the entry in words; empty without one, and for what the line of the entry has already."""
    value = entry.facts.get(field.name)
    if value in (None, "", []) or field.name in ("owner", "due", entry.register.name_field):
        return ""
    if field.name == "refs" and entry.register.name != "audit":
        return ", ".join(ref for ref in value if ref in visible)
    match field.input:
        case Input.STAFF:
            return mention(str(value))
        case Input.DATE:
            return texts.day(date.fromisoformat(value))
        case Input.CHOICE:
            return choice_name(entry.register, field.name, str(value), texts)
        case Input.FLAG:
            return texts.text("choice.yes") if value else ""
        case _:
            return escaped(str(value), 2500)


def _who(member: str, texts: StaffTexts) -> str:
    return texts.text(f"who.{member}") if member in (SYSTEM_ID, MODEL_ID, OPERATOR_ID) else mention(member)


def reminder_message(entry: Entry, text_id: str, texts: StaffTexts, **fields: Any) -> SlackMessage:
    """A direct message about an entry, with a button that opens it; it names the entry by its code alone."""
    register = texts.text(f"register.name.{entry.register.name}")
    text = texts.text(text_id, register=register, code=entry.code, **fields)
    row = actions(
        f"register.{entry.code}", [button(texts.text("register.open"), "register.open", entry.code)]
    )
    return SlackMessage(text, [section(text), row])


def alert_message(entry: Entry, texts: StaffTexts) -> SlackMessage:
    """A figure that crossed its limit, with a button that opens the form of the answer."""
    facts = entry.facts
    value, limit = (texts.percent(float(facts[name]) / 100) for name in ("value", "limit"))
    since, until = (texts.day(date.fromisoformat(facts[name])) for name in ("since", "until"))
    figure = texts.text(f"stats.{facts['figure']}")
    text = texts.text("register.alert", figure=figure, value=value, limit=limit, since=since, until=until)
    answer = button(
        texts.text("register.act.answer"), "register.act.answer", f"{entry.code}:answer", style="primary"
    )
    return SlackMessage(text, [section(text), actions(f"register.{entry.code}", [answer])])


def effect_text(entry: Entry, texts: StaffTexts) -> str:
    """What the check of an improvement counted; empty before it."""
    checked = entry.acts_of("check")
    if not checked:
        return ""
    facts = checked[-1].facts
    counted = texts.text("register.effect", before=facts["before"], after=facts["after"], days=facts["days"])
    if facts["ratio_high"] is None:
        return counted
    low, high = (texts.percent(facts[name]) for name in ("ratio_low", "ratio_high"))
    return f"{counted} {texts.text('register.effect_range', low=low, high=high)}"
