"""The card of a complaint, what became of its notices (7.3), and the lines in its thread.

None of it shows a name or the complainant's words, because it is posted in a channel; only the setting `subject` adds
some masked words.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from bots.slack.client.block_kit import (
    Block,
    SlackMessage,
    actions,
    button,
    context,
    escaped,
    fields,
    header,
    mention,
    option,
    paragraphs,
    plain_section,
    section,
)
from bots.slack.client.refused_blocks import collapsed
from bots.slack.staff_texts import StaffTexts
from bots.slack.views.actions import (
    CaseActions,
    available_actions,
    executive_actions,
    executive_actions_alone,
    missing_for_decision,
)
from bots.slack.views.proposal_blocks import proposal_lines, rule_names, similar_blocks
from bots.slack.views.refusals import not_decidable_text
from complaints.actions.action import WordKind
from complaints.actions.intake import MACHINE_MADE, RETURNED, TRANSCRIPT, TRANSLATION
from complaints.actions.registry import ACTIONS, SECOND_PERSON_VERBS, verbs_that
from complaints.case import Case, Event
from complaints.case_values import RemedyOwed
from complaints.deadlines.legal_time import held_off
from complaints.deadlines.periods import early_until, last_day_if_too_old, summary_owed
from complaints.deadlines.targets import next_due
from complaints.deadlines.working_time import due
from complaints.forms import CARD_ACTS
from complaints.obligations.approvals import awaits_reader
from complaints.obligations.standing import missed_times_payment
from complaints.priorities import priority_of
from complaints.similarity import SimilarCase
from complaints.times import last_day, local_time
from complaints.vocabulary import ContactKind, Flag, Priority, Role, State, Target, Verb
from store.values import Delivery, DeliveryStatus

#: The posts of a complaint, at most one of each.
CARD, RESTRICTED, EXECUTIVE = "card", "restricted", "executive"

_MARKS = {Priority.P1: "🔴", Priority.P2: "🟠", Priority.P3: "🟡", Priority.P4: "⚪"}
#: The first button is green only if most people in the channel may press it; these are not reserved for one person.
_FOR_EVERYBODY = frozenset({"everybody"})
_FOR_EXECUTIVES = _FOR_EVERYBODY | {"executives"}
#: Shown until it is over, even if something newer was delivered.
UNSETTLED: frozenset[DeliveryStatus] = frozenset(
    {
        DeliveryStatus.GIVEN_UP,
        DeliveryStatus.NOT_DELIVERED,
        DeliveryStatus.TRYING,
        DeliveryStatus.WAITING,
        DeliveryStatus.TO_TELL,
    }
)
#: Lines of a card in all, and of these the newest that were delivered.
MAX_LINES, MAX_DELIVERED = 6, 2
#: Events of a card's history at most; the thread has all of them.
HISTORY_EVENTS = 40
#: Messages after the first one, which the card shows.
_WORDS = verbs_that(lambda row: row.words is WordKind.MESSAGE and row.in_thread)
#: What the complainant did, by verb and kind of the message, where the name of the verb does not say it.
_COMPLAINANT_DID: Mapping[tuple[Verb, str | None], str] = {
    (Verb.BIND, None): "did.bound",
    (Verb.ADD, RETURNED): "did.returned",
    (Verb.ADD, "question"): "did.question",
    (Verb.ADD, TRANSCRIPT): "did.transcript",
    (Verb.ADD, TRANSLATION): "did.translation",
}


def card(
    case: Case,
    texts: StaffTexts,
    *,
    now: datetime,
    draw: int,
    purpose: str = CARD,
    is_working_place: bool = False,
    similar: Sequence[SimilarCase] = (),
    deliveries: Sequence[Delivery] = (),
    subject: str = "",
    events: Sequence[Event] = (),
) -> SlackMessage:
    """The card as the record is now; `draw` counts the drawings of this post; `subject` has masked words.

    `events` is the history that a reader can open; where Slack shows no such block, the thread has it.

    `similar` holds only complaints that everybody who sees this post may know of. The executive post has two buttons,
    unless it is the only post (`is_working_place`): then it has all of them.
    """
    available = available_actions(case)
    if purpose == EXECUTIVE:
        available = executive_actions_alone(case) if is_working_place else executive_actions(case)
    primary = _FOR_EXECUTIVES if purpose == EXECUTIVE else _FOR_EVERYBODY
    row = action_row(case, texts, available, draw, primary=primary)
    if case.erased_at is not None:
        erased = texts.text("card.erased", ref=case.ref)
        return SlackMessage(erased, [header(case.ref), section(erased), row])
    blocks = [
        header(headline(case, texts)),
        *([plain_section(subject)] if subject else []),
        fields(fact_fields(case, texts)),
        section(next_due_text(case, texts, now)),
    ]
    lines = (
        _other_dues(case, texts, now),
        _early_settlement(case, texts, now),
        unpaid_line(case, texts, now),
        *proposal_lines(case, texts),
        _fired_rules(case, texts),
        " · ".join(delivery_lines(deliveries_for_card(deliveries), case, texts, now)),
    )
    blocks += [context(line) for line in lines if line]
    flags = flag_lines(case, texts)
    if flags:
        blocks.append(context(*flags))
    blocks += similar_blocks(case, similar, texts, now=now)
    blocks += _history(events, case, texts)
    blocks.append(row)
    return SlackMessage(f"{headline(case, texts)}. {next_due_text(case, texts, now, bold=False)}", blocks)


def _history(events: Sequence[Event], case: Case, texts: StaffTexts) -> list[Block]:
    """The newest lines of the thread, closed until a reader opens them; they hold no words."""
    newest = events[-HISTORY_EVENTS:]
    drawn = (thread_line(newest, event.seq, case, texts) for event in newest)
    lines = [line for line, _ in filter(None, drawn)]
    if not lines:
        return []
    blocks = [context(paragraph) for paragraph in paragraphs(lines)]
    return [collapsed(texts.count("card.history", len(lines)), blocks)]


def folded_card(case: Case, texts: StaffTexts, *, draw: int) -> SlackMessage:
    """The card while that of its open incident takes its place: headline, the incident, and all acts in the menu."""
    title, line = headline(case, texts), texts.text("flag.incident", number=case.incident)
    available = available_actions(case)
    others = tuple(name for name in available.buttons if name != "open")
    acts = CaseActions(("open",), (*others, *available.others))
    return SlackMessage(
        f"{title}. {line}", [header(title), context(line), action_row(case, texts, acts, draw)]
    )


def headline(case: Case, texts: StaffTexts) -> str:
    state = texts.text(f"state.{case.state.value}")
    if case.state is State.CLOSED and case.close_code is not None:
        state = f"{state}: {texts.text(f'close_code.{case.close_code.value}')}"
    priority = priority_of(case)
    return f"{case.ref} · {state} · {_MARKS[priority]} {priority.value}"


def next_due_text(case: Case, texts: StaffTexts, now: datetime, *, bold: bool = True) -> str:
    """The next due time, or that nothing is due."""
    target = next_due(case)
    if target is None:
        return texts.text("card.nothing_due")
    due = texts.target_due(target, case, now)
    return texts.text("card.next", due=f"*{due}*" if bold else due)


def unpaid_line(case: Case, texts: StaffTexts, now: datetime) -> str:
    """The amount that the scheme grants without request after a missed date; the decision must promise it."""
    payment = missed_times_payment(case, now)
    if payment is None or not case.is_open:
        return ""
    return texts.text("card.payment_owed", amount=f"{payment.amount / 100:.2f} {payment.currency}")


def flag_lines(case: Case, texts: StaffTexts) -> list[str]:
    """Other things that staff need to see at a glance, at most ten lines."""
    lines = []
    if case.alarm is not None and case.alarm.seen_at is not None:
        lines.append(texts.text("flag.danger_open"))
    elif case.alarm is not None:
        lines.append(texts.text("flag.danger_unseen" if case.alarm.certain_at else "flag.look"))
    if case.written_in is not None:
        name = texts.language_name(case.written_in)
        lines.append(texts.text("flag.written_in", name=name))
        if case.assessment is None:
            lines[-1] += " " + texts.text("flag.translate_first")
    if lacking := missing_for_decision(case):
        lines.append(not_decidable_text(lacking, case, texts))
    lines += _requests(case, texts)
    lines += conduct_lines(case, texts)
    if forbidden := sorted(held_off(case)):
        lines.append(texts.text(f"flag.no_{'_'.join(forbidden)}"))
    if case.no_reviewer_left:
        lines.append(texts.text("flag.nobody_left"))
    if case.fairness.review_by is not None and case.fairness.informed_at is None:
        lines.append(texts.text("flag.not_told", day=texts.day(case.fairness.review_by)))
    if case.incident is not None:
        text_id = "flag.incident_and_more" if case.second_issue else "flag.incident"
        lines.append(texts.text(text_id, number=case.incident))
    if (too_old := last_day_if_too_old(case)) is not None:
        within = texts.duration(case.rules.accept_within or "")
        lines.append(texts.text("flag.out_of_time", day=texts.day(too_old), within=within))
    if case.settled_early is not None:
        lines.append(texts.text("flag.summary_owed" if summary_owed(case) else "flag.settled_early"))
    if case.open_offer:
        lines.append(texts.text("flag.open_offer"))
    if case.reply is not None:
        lines.append(texts.text(f"flag.reply_{case.reply}"))
    flags = [flag for flag in Flag if flag in case.flags and flag is not Flag.DANGER]
    names = {Flag.LEGAL_HOLD: "flag.legal_hold_until"} if case.hold_until else {}
    day = texts.day(case.hold_until) if case.hold_until else ""
    return (lines + [texts.text(names.get(flag, f"flag.{flag.value}"), day=day) for flag in flags])[:10]


def _requests(case: Case, texts: StaffTexts) -> list[str]:
    """What a second person has to allow."""
    lines = []
    if case.drafted is not None:
        is_check = awaits_reader(case)
        text_id = "flag.waits_for_check" if is_check else "flag.waits_for_approval"
        lines.append(texts.text(text_id, who=mention(case.drafted.by)))
    if case.reclassification is not None:
        kind, author = case.reclassification
        name = texts.text(f"kind.{kind.value}")
        lines.append(texts.text("flag.reclassified", kind=name, who=mention(author)))
    if case.extension is not None:
        extension = case.extension
        lines.append(
            texts.text(
                "flag.extension_asked",
                target=texts.text(f"target.{extension.target.value}"),
                day=texts.day(last_day(extension.until, case.rules.calendar.zone)),
                who=mention(extension.by),
            )
        )
    return lines


def conduct_lines(case: Case, texts: StaffTexts) -> list[str]:
    """A limit on contact, an appeal against it, and a limit that waits for a second person."""
    conduct, lines = case.conduct, []
    if conduct.pending is not None:
        lines.append(texts.text("flag.limit_asked", who=mention(conduct.pending.asked_by)))
    if conduct.limit is not None:
        names = ", ".join(texts.text(f"limit.{name}") for name in conduct.limit.limits)
        lines.append(texts.text("flag.limit", limits=names, day=texts.day(conduct.limit.until)))
    if conduct.appeal_at is not None:
        lines.append(texts.text("flag.appeal"))
    return lines


def action_row(
    case: Case,
    texts: StaffTexts,
    available: CaseActions,
    draw: int,
    *,
    primary: frozenset[str] = _FOR_EVERYBODY,
) -> Block:
    """The buttons and the menu; the block id holds the work version for which they were drawn.

    The first button is green if it is `primary` for one of these (forms.toml).
    """
    row = [
        button(
            texts.text(f"verb.{name}"),
            f"case.{name}",
            case.ref,
            style="primary" if number == 0 and CARD_ACTS[name].primary in primary else None,
        )
        for number, name in enumerate(available.buttons)
    ]
    if available.others:
        options = [option(f"case.{name}:{case.ref}", texts.text(f"verb.{name}")) for name in available.others]
        row.append(
            {
                "type": "static_select",
                "action_id": "case.more",
                "placeholder": {"type": "plain_text", "text": texts.text("card.more"), "emoji": False},
                "options": options,
            }
        )
    return actions(f"actions:{case.work_version}.{draw}", row)


def delivery_lines(deliveries: Sequence[Delivery], case: Case, texts: StaffTexts, now: datetime) -> list[str]:
    """One line for each, the oldest first: `Acknowledgement delivered 10:02`."""
    return [_delivery_line(delivery, case, texts, now) for delivery in deliveries]


def deliveries_for_card(deliveries: Sequence[Delivery]) -> list[Delivery]:
    """Of each kind the newest and all that failed; of what was delivered only the last few."""
    newest = {delivery.kind: delivery for delivery in deliveries}
    relevant = [
        delivery
        for delivery in deliveries
        if newest[delivery.kind] is delivery or delivery.status is DeliveryStatus.GIVEN_UP
    ]
    delivered = [delivery for delivery in relevant if delivery.status not in UNSETTLED][-MAX_DELIVERED:]
    lines = [delivery for delivery in relevant if delivery.status in UNSETTLED or delivery in delivered]
    return lines[-MAX_LINES:]


def event_line(event: Event, case: Case, texts: StaffTexts) -> str:
    """`Assessed · @alice · Wed 4 Nov, 10:15`."""
    when = texts.moment(event.at, case.rules.calendar.zone)
    text_id = "did.extend_asked" if event.facts.get("asks") else f"did.{event.verb.value}"
    if event.verb in SECOND_PERSON_VERBS:
        text_id = f"did.{event.verb.value}.{event.facts['agreed']}"
    if event.facts.get("phase") == "end":
        text_id = "did.talk_ended"
    text_id = "did.draft_withdrawn" if event.facts.get("draft") else text_id
    text_id = "did.check_skipped" if event.facts.get("skipped") else text_id
    if event.facts.get("check") == "drawn":
        # Nothing is resolved until the second reader agrees.
        text_id = "did.respond"
    who = texts.actor_name(event.by, case)
    if event.role is Role.COMPLAINANT:
        # By role and not by id: a chat that was connected later has another id.
        is_machine = event.facts.get("kind") in MACHINE_MADE
        who = texts.text("who.system" if is_machine else "who.complainant")
        text_id = _COMPLAINANT_DID.get((event.verb, event.facts.get("kind")), text_id)
        text_id = "did.edited" if "replaces" in event.facts else text_id
    did, number = texts.text(text_id), event.facts.get("remedy")
    for remedy in case.remedies:
        if str(remedy.n) == str(number):
            did = f"{did} ({remedy_name(remedy, texts)})"
    return texts.text("thread.line", did=did, who=who, when=when)


def remedy_name(remedy: RemedyOwed, texts: StaffTexts) -> str:
    """`2: Refund 150.00 GBP`."""
    amount = f" {remedy.amount} {remedy.currency}" if remedy.amount else ""
    return f"{remedy.n + 1}: {texts.text(f'remedy.{remedy.type}')}{amount}"


def thread_line(
    events: Sequence[Event], seq: int, case: Case, texts: StaffTexts
) -> tuple[str, datetime] | None:
    """The line for this event and when it may be posted; None if the line of another event includes it.

    Forty messages in three minutes are one line, which belongs to the last of them.
    """
    # What the form took out of the story is no message of its own.
    events = [
        event
        for event in events
        if event.facts.get("kind") != TRANSLATION and not event.facts.get("from_story")
    ]
    if all(event.seq != seq for event in events):
        return None
    run = _message_run(events, seq, case)
    last = run[-1]
    if not ACTIONS[last.verb].in_thread or last.seq != seq:
        return None
    if not _is_message(last):
        return event_line(last, case, texts), last.at
    first = texts.clock(run[0].at, case.rules.calendar.zone)
    until = texts.clock(last.at, case.rules.calendar.zone)
    span = first if first == until else f"{first}–{until}"
    return texts.text("thread.wrote", number=len(run), when=span), _burst_end(last, case)


def _message_run(events: Sequence[Event], seq: int, case: Case) -> list[Event]:
    """The burst of the complainant's messages to which this event belongs; the event alone if it is no message."""
    index = next(index for index, event in enumerate(events) if event.seq == seq)
    if not _is_message(events[index]):
        return [events[index]]
    first = last = index
    while first > 0 and _same_burst(events[first - 1], events[first], case):
        first -= 1
    while last < len(events) - 1 and _same_burst(events[last], events[last + 1], case):
        last += 1
    return list(events[first : last + 1])


def _is_message(event: Event) -> bool:
    return event.verb in _WORDS and event.facts.get("kind") not in {RETURNED, *MACHINE_MADE}


def _same_burst(event: Event, following: Event, case: Case) -> bool:
    return _is_message(event) and _is_message(following) and following.at <= _burst_end(event, case)


def _burst_end(event: Event, case: Case) -> datetime:
    return due(event.at, case.rules.dialogue.burst, case.rules.calendar).at


def fact_fields(case: Case, texts: StaffTexts) -> list[str]:
    """Category, owner, receipt, level, and what was asked for, each with its name above it."""
    category = texts.text(f"category.{case.category}") if case.category else texts.text("card.no_category")
    if case.category and case.assessment is None:
        category = texts.text("card.not_assessed", category=category)
    owner = owner_text(case, texts)
    received = texts.moment(case.received_at, case.rules.calendar.zone)
    channel = texts.text(f"channel.{case.channel}")
    rows = [
        ("card.category", category),
        ("card.owner", owner),
        ("card.received", texts.text("card.received_how", when=received, channel=channel)),
        ("card.level", texts.text("card.level_of", level=case.level, top=case.rules.top_level)),
    ]
    if case.assessment is not None:
        assessed = case.assessment
        grades = texts.text("card.grades", severity=assessed.severity, safety=assessed.safety)
        rows.append(("card.assessed", grades))
    if case.kind is not ContactKind.COMPLAINT:
        rows.append(("card.kind", texts.text(f"kind.{case.kind.value}")))
    if case.remedies_requested or case.amount_requested is not None:
        rows.append(("card.asked_for", asked_for_text(case, texts)))
    return [f"*{texts.text(label)}*\n{value}" for label, value in rows]


def owner_text(case: Case, texts: StaffTexts) -> str:
    """The owner, or that the complaint is without one since they left."""
    if case.owner is None:
        return texts.text("card.no_owner")
    who = mention(case.owner)
    return texts.text("card.former_owner", who=who) if case.is_unowned else who


def asked_for_text(case: Case, texts: StaffTexts) -> str:
    """The remedies that the complainant asked for, with the amount of money."""
    names = [texts.text(f"asked_for.{code}") for code in case.remedies_requested]
    if case.amount_requested is not None:
        names.append(f"{case.amount_requested / 100:.2f} {case.currency_requested}")
    return ", ".join(names)


def _other_dues(case: Case, texts: StaffTexts, now: datetime) -> str:
    """The open dates after the next one, the legal one last."""
    first = next_due(case)
    others = [target for target in case.current_targets() if target.met_at is None and target is not first]
    others.sort(key=lambda target: (target.target is Target.LEGAL, target.internal_due))
    if not others:
        return ""
    dues = " · ".join(texts.target_due(target, case, now) for target in others[:8])
    return texts.text("card.then", dues=dues)


def _early_settlement(case: Case, texts: StaffTexts, now: datetime) -> str:
    """Until when a settlement to the complainant's satisfaction is enough, if the scheme has a fast track."""
    until = early_until(case)
    if until is None or until < now or not case.is_open or case.reply is not None:
        return ""
    return texts.text("card.early", when=texts.due_time(until, case.rules.calendar.zone))


def _fired_rules(case: Case, texts: StaffTexts) -> str:
    names = rule_names(case, texts)
    line = texts.text("card.rules", rules=names) if names else ""
    assessed, overruled = case.assessment, case.overruled_signs
    if assessed is None or not overruled:
        return line
    lowered = texts.text(
        "card.lowered",
        severity=assessed.severity,
        severity_before=max(assessed.severity, *(sign.severity for sign in overruled)),
        safety=assessed.safety,
        safety_before=max(assessed.safety, *(sign.safety for sign in overruled)),
        who=mention(assessed.by),
    )
    return f"{lowered}\n{line}"


def _delivery_line(delivery: Delivery, case: Case, texts: StaffTexts, now: datetime) -> str:
    zone = case.rules.calendar.zone
    return texts.text(
        f"delivery.{delivery.status.value}",
        what=texts.text(f"delivery.{delivery.kind}") if delivery.is_notice else escaped(delivery.kind, 60),
        when=_when(delivery.at, now, zone, texts),
        why=texts.text(f"delivery.why.{delivery.reason or 'other'}"),
        first=_when(delivery.uncertain_since or delivery.at, now, zone, texts),
        number=delivery.number,
    )


def _when(moment: datetime, now: datetime, zone: str, texts: StaffTexts) -> str:
    same_day = local_time(moment, zone).date() == local_time(now, zone).date()
    return texts.clock(moment, zone) if same_day else texts.moment(moment, zone)
