"""What each form starts with: proposal, assessment, issues, remedies, causes, the letter."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from bots.letters.suggestions import sum_asked_for
from bots.slack.client.block_kit import (
    Block,
    context,
    cut,
    divider,
    escaped,
    mention,
    plain_sections,
    quoted,
    section,
    sections,
)
from bots.slack.staff_texts import StaffTexts
from bots.slack.views.card import asked_for_text, conduct_lines, remedy_name, unpaid_line
from bots.slack.views.form_inputs import minute_of
from bots.slack.views.form_modals import FormPrefill
from bots.slack.views.investigation_view import (
    findings_initial,
    investigate_form,
    open_statements_warning,
    open_steps_warning,
)
from bots.slack.views.proposal_blocks import (
    link_initial,
    proposal_blocks,
    similar_blocks,
    take_matters_blocks,
    uncertain_categories,
)
from bots.slack.views.refusals import overruled_line
from bots.slack.views.timeline import newest_message_blocks
from bots.texts.texts import currency_of
from complaints.actions.assessment import (
    ANY_GRADE,
    issue_texts,
    issues_are_decided,
    issues_are_named,
    lowest_allowed,
)
from complaints.actions.registry import (
    ACTIONS,
    DECISION_VERBS,
    FORM_VERBS,
    OFFLINE_VERBS,
    SECOND_PERSON_VERBS,
)
from complaints.actors import Actor
from complaints.case import Case, Event, events_of, last_of
from complaints.case_values import RemedyOwed
from complaints.deadlines.opening_hours import closing_time
from complaints.deadlines.periods import last_day_if_too_old
from complaints.deadlines.targets import next_news
from complaints.deadlines.working_time import due
from complaints.event_facts import OVERRULED
from complaints.forms import FORMS, NO_ISSUE, NO_REMEDY
from complaints.history import refused_request, taken_back_seqs
from complaints.priorities import RAISING, priority_of
from complaints.rulebook import categories_of
from complaints.times import last_day
from complaints.vocabulary import ANSWERED, Flag, Priority, Remedy, State, Target, Verb
from store.values import OpenedCase

#: Fields with codes that only this organisation has.
_OWN = ("product", "branch")
#: What each relation does to both complaints, shown before one is chosen.
_LINK_EFFECTS = ("link.duplicate", "link.same_incident", "link.about_handling_of")


@dataclass(frozen=True)
class FormStart:
    """What the sources of a form's first values have.

    `events` are the whole history, with words at least for the acts that the form shows. `opened` is the complaint as
    opened, for a form that shows words, and `messages` what it shows of them. `waiting_letter` is what waits for
    approval. `suggested_owner` is a member with the number of their open complaints, `suggested_link` the relation
    and the other reference that a button offered. `recorded` are first words of a letter by the name of the field,
    `usual_cause` the class and the words of the cause in this category.
    """

    case: Case
    events: Sequence[Event]
    texts: StaffTexts
    now: datetime
    opened: OpenedCase | None = None
    waiting_letter: str = ""
    suggested_owner: tuple[str, int] | None = None
    suggested_link: tuple[str, str] | None = None
    recorded: Mapping[str, str] = field(default_factory=dict)
    usual_cause: tuple[str | None, str | None] = (None, None)
    messages: Sequence[Block] = ()
    actor: Actor | None = None

    @property
    def opened_events(self) -> Sequence[Event]:
        """The events with all words, if the complaint is opened."""
        return self.opened.events if self.opened else ()


def prefill(form: str, start: FormStart) -> FormPrefill:
    """What a form starts with, from the sources that its table names."""
    filled = FormPrefill()
    for source in FORMS[form].starts:
        filled = filled.plus(SOURCES[source](start))
    if form in FORM_VERBS and (asks := ACTIONS[FORM_VERBS[form]].asks):
        filled = _with_returned(form, asks, filled, start.opened_events or start.events, start.texts)
    # What waits for approval is read first; any other letter is yet to be written.
    parts = [start.messages, filled.preface]
    if FORMS[form].shows == "everything":
        parts.reverse()
    return replace(filled, preface=[block for part in parts for block in part])


def _day_of_answer(start: FormStart) -> FormPrefill:
    """The last day on which an answer of the complainant can still be used."""
    case, now = start.case, start.now
    decide = case.target(Target.DECIDE)
    latest = due(now, case.rules.targets.waiting_limit, case.rules.calendar).at
    # An answer on the day before the decision is due can still be used.
    before = latest if decide is None else min(latest, decide.internal_due - timedelta(days=1))
    day = _day_until(case, before, now) or _day_until(case, latest, now)
    return FormPrefill(initial={"needed_by": day})


def _day_of_news(start: FormStart) -> FormPrefill:
    case, now = start.case, start.now
    legal, news = case.target(Target.LEGAL), next_news(case, now)
    if legal is not None and legal.met_at is None and now <= legal.internal_due:
        news = min(news, legal.internal_due)
    return FormPrefill(initial={"next_date": _day_until(case, news, now)})


def _remedy(start: FormStart) -> FormPrefill:
    """The remedy of money that was asked for, and whether others are affected."""
    case = start.case
    currency = case.currency_requested or currency_of(case.rules.country)
    initial = {"type": sum_asked_for(case)[0], "currency": currency}
    return FormPrefill(initial={"others_affected": _others(case, start.opened), **initial})


def _usual_cause(start: FormStart) -> FormPrefill:
    cause_class, cause = start.usual_cause
    return FormPrefill(initial={"cause_class": cause_class, "cause": cause, "root_cause": cause})


def _day_until(case: Case, latest: datetime, now: datetime) -> str | None:
    """The last day that closes by then; None if it is over."""
    day, calendar = last_day(latest, case.rules.calendar.zone), case.rules.calendar
    if closing_time(day, calendar) > latest:
        day -= timedelta(days=1)
    return day.isoformat() if closing_time(day, calendar) > now else None


def _others(case: Case, opened: OpenedCase | None) -> str | None:
    """Whether others are affected, by the similar cases; without any it is not known, which P1 and P2 may not say."""
    others = (
        [other for other in opened.similar_cases if other.complainant != case.complainant] if opened else []
    )
    if others or case.incident is not None:
        return "some"
    return None if priority_of(case) in (Priority.P1, Priority.P2) else "unknown"


def words_by_verb(events: Sequence[Event], *verbs: Verb) -> Mapping[str, str]:
    """The words of the latest of these acts."""
    last = last_of(events, *verbs)
    return {} if last is None else last.words


def _assessment(start: FormStart) -> FormPrefill:
    """Words and proposal above; the criteria proposed or in force as initial values, but never a safety (7.5).

    Of severity and safety the form offers what this person may save.
    """
    opened, texts = start.opened, start.texts
    if opened is None:
        return FormPrefill()
    case, assessment = opened.case, opened.case.assessment
    if assessment is None:
        initial = _proposed_criteria(case)
    else:
        names = ("category", "severity", "complexity", "reach", "recurrence", "compensation_likely", *_OWN)
        initial = {name: getattr(assessment, name) for name in names}
        initial["immediate_needed"] = "yes" if assessment.immediate_needed else "no"
        initial["immediate_possible"] = "yes" if assessment.immediate_possible else None
        initial["period_from"] = assessment.period_from and assessment.period_from.isoformat()
        for issue, text in zip(case.issues, issue_texts(case, opened.events), strict=True):
            initial |= {f"issues.{issue.n}.text": text, f"issues.{issue.n}.category": issue.category}
    least = lowest_allowed(case, start.actor)
    choices = {"category": _categories(case, texts)}
    are_decided = issues_are_decided(case)
    if not (are_decided or issues_are_named(case)):
        dropped = (NO_ISSUE, texts.text(f"category.{NO_ISSUE}"))
        choices["issues.N.category"] = (dropped, *choices["category"])
    for name, codes in zip(_OWN, (case.rules.products, case.rules.branches), strict=True):
        choices[name] = texts.choices(name, codes)
    for name, most in (("severity", 5), ("safety", 3)):
        choices[name] = texts.choices(name, map(str, range(least[name], most + 1)))
    return FormPrefill(
        initial=initial,
        choices=choices,
        preface=[
            *newest_message_blocks(opened, texts),
            *_out_of_time(case, texts),
            *proposal_blocks(opened, texts),
            *(take_matters_blocks(opened, texts) if assessment is None else ()),
            *similar_blocks(case, opened.similar_cases, texts, now=start.now),
            *([context(texts.text("assess.lowest", **least))] if least != ANY_GRADE else []),
        ],
        rows={"issues": len(case.issues)} if case.issues else {},
        fixed=frozenset({"issues"}) if are_decided else frozenset(),
    )


def _suggested_owner(start: FormStart) -> FormPrefill:
    """The suggested owner with the reason, otherwise the present one."""
    if start.suggested_owner is None:
        return FormPrefill(initial={"owner": start.case.owner} if start.case.owner is not None else {})
    member_id, number = start.suggested_owner
    suggestion = start.texts.text("assign.suggested", who=mention(member_id), number=number)
    return FormPrefill(initial={"owner": member_id}, preface=[context(suggestion)])


def _out_of_time(case: Case, texts: StaffTexts) -> list[Block]:
    """That the complaint may be too old for the scheme; a person decides on that."""
    too_old = last_day_if_too_old(case)
    if too_old is None:
        return []
    within = texts.duration(case.rules.accept_within or "")
    return [section(texts.text("flag.out_of_time", day=texts.day(too_old), within=within))]


def _proposed_criteria(case: Case) -> dict[str, Any]:
    """What the model and the rules propose: no category if the model abstains, and never a safety."""
    proposed = case.proposed
    initial: dict[str, Any] = {
        "category": None if proposed is None or proposed.abstained else proposed.category,
        "complexity": 1,
        "reach": 1,
        "recurrence": 2,
        "immediate_needed": "no",
    }
    if proposed is not None:
        initial |= {row.field: row.value for row in proposed.criteria if row.field != "safety"}
    # Last, because the severity in force may be higher than the one that this proposal gives a reason for.
    return initial | {"severity": case.severity if proposed is not None or case.signs else None}


def _categories(case: Case, texts: StaffTexts) -> tuple[tuple[str, str], ...]:
    """The categories to choose from, first the two between which the model is uncertain (7.5)."""
    first = uncertain_categories(case) if case.assessment is None else ()
    codes = (*first, *(code for code in categories_of(case.rules) if code not in first))
    return texts.choices("category", codes)


def _decision(start: FormStart) -> FormPrefill:
    """A row with the words and the finding of each issue, and the remedy that was asked for."""
    case, texts, headings = start.case, start.texts, {}
    for issue, text in zip(case.issues, issue_texts(case, start.events), strict=True):
        category = texts.text(f"category.{issue.category}")
        heading = texts.text("modal.issue", number=issue.n + 1, category=category)
        if text:
            heading = f"{heading}\n{escaped(cut(text, 1000))}"
        headings[f"issues.{issue.n}"] = section(heading)
    if case.remedies_requested:
        headings["remedies.0"] = _asked_for_section(case, texts)
    remedy, amount = sum_asked_for(case)
    # Slack's menus cannot be emptied, and a refused complaint must not promise what was asked for.
    types = (NO_REMEDY, *Remedy) if remedy else tuple(Remedy)
    unpaid = unpaid_line(case, texts, start.now)
    return FormPrefill(
        preface=[*([section(unpaid)] if unpaid else ()), *open_steps_warning(case, texts)],
        initial={
            "remedies.0.type": remedy,
            "remedies.0.amount": amount,
            "remedies.0.currency": case.currency_requested or currency_of(case.rules.country),
            **findings_initial(case, start.opened_events),
        },
        choices={"type": texts.choices("remedy", types)},
        rows={"issues": len(case.issues)},
        fixed=frozenset({"issues"}),
        headings=headings,
    )


def _remedies_asked_for(start: FormStart) -> FormPrefill:
    wishes = start.case.remedies_requested
    return FormPrefill(preface=[_asked_for_section(start.case, start.texts)] if wishes else [])


def _asked_for_section(case: Case, texts: StaffTexts) -> Block:
    """What the complainant wishes, to read: in a field it would become what was done, or what was agreed."""
    return section(texts.text("prefill.asked_for", what=asked_for_text(case, texts)))


def _with_returned(
    form: str, asks: str, start: FormPrefill, events: Sequence[Event], texts: StaffTexts
) -> FormPrefill:
    """The form as it was filled in before a second person sent it back, with the note of that person."""
    refused = refused_request(events, asks)
    if refused is None:
        return start
    drafted, answer = refused
    who, note = mention(answer.by), escaped(answer.words.get("reason", ""))
    text_id = "modal.returned" if asks == "respond" else "modal.refused"
    preface = [section(cut(texts.text(text_id, who=who, note=note), 3000)), *start.preface]
    if FORM_VERBS[form] is not drafted.verb:
        return replace(start, preface=preface)
    return replace(start.with_typed(typed_values_of(form, drafted), {}), preface=preface)


def typed_values_of(form: str, event: Event) -> dict[str, Any]:
    """What was typed into the form of this act, by path; confirmations stay empty."""
    fields = {entry.name for entry in FORMS[form].fields if not entry.is_confirmation}
    typed: dict[str, Any] = {
        path: text for path, text in event.words.items() if path.rpartition(".")[2] in fields
    }
    for name, value in event.facts.items():
        if name in ("issues", "remedies"):
            typed |= {f"{name}.{n}.{key}": entry for n, row in enumerate(value) for key, entry in row.items()}
        elif name in fields:
            typed[name] = value
    return typed


def _waiting_letter(start: FormStart) -> FormPrefill:
    """What waits for approval: the letter with the warnings that its author overruled, or the reason."""
    case, texts = start.case, start.texts
    title = texts.text("modal.letter")
    if case.reclassification is not None:
        title = texts.text("modal.reclassified", kind=texts.text(f"kind.{case.reclassification[0].value}"))
    elif case.drafted is None and case.extension is not None:
        extension = case.extension
        target = texts.text(f"target.{extension.target.value}")
        day = texts.day(last_day(extension.until, case.rules.calendar.zone))
        title = texts.text("modal.extension_asked", target=target, day=day)
    elif case.drafted is None and case.conduct.pending is not None:
        title = texts.text("modal.limit_asked", day=texts.day(case.conduct.pending.until))
    draft = next((event for event in start.events if case.drafted and event.seq == case.drafted.seq), None)
    codes = () if draft is None else draft.facts.get(OVERRULED, ())
    warned = [section(overruled_line(codes, texts))] if codes else []
    return FormPrefill(preface=[section(title), *warned, *plain_sections(start.waiting_letter), divider()])


def _conduct(start: FormStart) -> FormPrefill:
    """What a limit never touches; for a person who needs support, to think of that first; and the limit in force."""
    case, texts = start.case, start.texts
    needs = {Flag.SUPPORT_NEED, Flag.MINOR, Flag.FOR_ANOTHER} & case.flags
    is_vulnerable = needs or any(sign.kind in RAISING for sign in case.signs)
    ids = (["conduct.vulnerable"] if is_vulnerable else []) + ["conduct.never_limited"]
    blocks = [section(texts.text(id_)) for id_ in ids]
    if case.conduct.limit is not None:
        reason = words_by_verb(start.opened_events, Verb.LIMIT_CONTACT).get("reason", "")
        blocks = [
            *sections(conduct_lines(case, texts)),
            quoted(texts.text("field.reason"), reason or "–"),
            *blocks,
        ]
    return FormPrefill(preface=blocks)


def _spoken_now(start: FormStart) -> FormPrefill:
    """What may have been said on the phone or in a letter in the present state."""
    case = start.case
    is_answered = case.state in ANSWERED and case.decision is not None
    fits = {
        "acknowledge": case.level not in case.acks,
        "decision": is_answered and case.decision is not None and case.decision.communicated_at is None,
        "accept": is_answered,
        "disagree": is_answered,
        "recourse": case.state is State.DISAGREED,
        "letter": case.is_offline,
        "withdraw": case.is_open and case.withdrawn_at is None,
        "authority": Flag.FOR_ANOTHER in case.flags,
    }
    choices = start.texts.choices("given", (act for act in OFFLINE_VERBS if fits.get(act, True)))
    return FormPrefill(
        initial={"given_at": minute_of(start.now)}, choices={"what": choices} if choices else {}
    )


def remedy_words_by_number(events: Sequence[Event]) -> dict[int, dict[str, str]]:
    """The words of every promised remedy, by its number in the record."""
    promised: list[dict[str, str]] = []
    drafted: Event | None = None
    taken_back = taken_back_seqs(events)
    for event in events:
        if event.seq in taken_back:
            continue
        facts = event.facts
        if event.verb in DECISION_VERBS and (facts.get("needs_approval") or facts.get("check") == "drawn"):
            drafted = event
        elif event.verb in DECISION_VERBS:
            promised += _promised_words(event)
        elif event.verb in SECOND_PERSON_VERBS and facts.get("of", "respond") == "respond":
            if drafted is not None:
                promised += _promised_words(drafted) if facts["agreed"] == "yes" else []
            drafted = None
        elif facts.get("event") == "final" and facts.get("comply_by"):
            promised.append({"text": event.words.get("outcome", "")})
    return dict(enumerate(promised))


def _promised_words(event: Event) -> list[dict[str, str]]:
    if event.verb is Verb.RESOLVE:
        return [{"text": event.words.get("done", "")}]
    count = len(event.facts.get("remedies", ()))
    return [{"text": event.words.get(f"remedies.{number}.text", "")} for number in range(count)]


def _remedies_to_do(start: FormStart) -> FormPrefill:
    remedies = [remedy for remedy in start.case.owed_remedies if remedy.done_at is None]
    return _remedies(start, remedies).plus(FormPrefill(initial={"done_at": minute_of(start.now)}))


def _remedies_to_verify(start: FormStart) -> FormPrefill:
    """The remedies that were done, above them those that the complainant confirmed, as evidence."""
    owed = start.case.owed_remedies
    remedies = [remedy for remedy in owed if remedy.done_at and not remedy.verified_at]
    filled = _remedies(start, remedies)
    if len(remedies) == 1:
        filled = filled.plus(FormPrefill(initial={"how": _how_verified(remedies[0], start)}))
    labels = dict(filled.choices["remedy"])
    confirmed = [escaped(labels[str(remedy.n)]) for remedy in remedies if remedy.answer == "yes"]
    if not confirmed:
        return filled
    notice = start.texts.text("modal.remedy_confirmed", remedies="\n".join(confirmed))
    return filled.plus(FormPrefill(preface=sections(notice.splitlines())))


def _remedies(start: FormStart, remedies: Sequence[RemedyOwed]) -> FormPrefill:
    words = remedy_words_by_number(start.events)
    choices = tuple(
        (str(remedy.n), _remedy_label(remedy, words.get(remedy.n, {}), start.texts)) for remedy in remedies
    )
    only = {"remedy": choices[0][0]} if len(choices) == 1 else {}
    return FormPrefill(initial=only, choices={"remedy": choices})


def _remedy_label(remedy: RemedyOwed, words: Mapping[str, str], texts: StaffTexts) -> str:
    """`2: Refund 150.00 GBP · the words of the promise`, at most 75 code points."""
    text = f" · {words['text']}" if words.get("text") else ""
    return cut(f"{remedy_name(remedy, texts)}{text}", 75)


def _how_verified(remedy: RemedyOwed, start: FormStart) -> str | None:
    """What the record has to check by: the complainant's confirmation, or the proof."""
    if remedy.answer == "yes":
        return start.texts.text("prefill.confirmed")
    done = events_of(start.events, Verb.REMEDY_DONE)
    proof = [
        event.words.get("proof", "").strip() for event in done if event.facts.get("remedy") == str(remedy.n)
    ]
    return start.texts.text("prefill.proof", proof=proof[-1]) if proof and proof[-1] else None


def _decided_cause(start: FormStart) -> FormPrefill:
    words, decision = words_by_verb(start.events, Verb.RESPOND, Verb.RESOLVE), start.case.decision
    return FormPrefill(
        initial={
            "root_cause": words.get("root_cause") or words.get("cause"),
            "cause_class": decision.cause_class if decision else None,
        }
    )


def _suggested_link(start: FormStart) -> FormPrefill:
    """What each relation does to both complaints, and the link that a button offered."""
    other = "X" if start.suggested_link is None else start.suggested_link[1]
    return FormPrefill(
        initial={} if start.suggested_link is None else link_initial(start.suggested_link),
        preface=[
            context(start.texts.text(text_id, ref=start.case.ref, other=other)) for text_id in _LINK_EFFECTS
        ],
    )


def _investigation(start: FormStart) -> FormPrefill:
    case, opened, texts = start.case, start.opened, start.texts
    similar = similar_blocks(case, opened.similar_cases, texts, now=start.now) if opened else []
    return investigate_form(case, opened, texts).plus(FormPrefill(preface=similar))


def _open_statements(start: FormStart) -> FormPrefill:
    return FormPrefill(preface=open_statements_warning(start.case, start.opened_events, start.texts))


def _recorded(start: FormStart) -> FormPrefill:
    return FormPrefill(initial={name: words for name, words in start.recorded.items() if words})


#: The sources that forms name in `starts`.
SOURCES: Mapping[str, Callable[[FormStart], FormPrefill]] = {
    "agreement": lambda start: FormPrefill(initial={"agreed": "yes"}),
    "assessment": _assessment,
    "conduct": _conduct,
    "day_of_answer": _day_of_answer,
    "day_of_news": _day_of_news,
    "decided_cause": _decided_cause,
    "decision": _decision,
    "investigation": _investigation,
    "news_so_far": _recorded,
    "open_statements": _open_statements,
    "remedies_asked_for": _remedies_asked_for,
    "remedies_done": _recorded,
    "remedies_to_do": _remedies_to_do,
    "remedies_to_verify": _remedies_to_verify,
    "remedy": _remedy,
    "spoken_now": _spoken_now,
    "suggested_link": _suggested_link,
    "suggested_owner": _suggested_owner,
    "usual_cause": _usual_cause,
    "waiting_letter": _waiting_letter,
}
