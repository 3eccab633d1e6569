"""Letters from the decision to the survey: remedies, outside bodies, the closing (7.7, 7.8, 7.9, 8.3)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from itertools import product
from typing import Any

from bots.dialogue.buttons import SURVEY
from bots.letters.letter import Letter, join_paragraphs, paragraph_below, section, shorten
from bots.letters.progress_letters import outside_now
from bots.texts.phrases import body_line, without_words
from complaints.case import Case
from complaints.case_values import RemedyOwed
from complaints.deadlines.targets import next_news
from complaints.deadlines.working_time import due
from complaints.vocabulary import CloseCode, Target

#: A decision quotes at most this many characters of the complaint.
MAX_QUOTED = 600


def short_decision(letter: Letter, facts: Mapping[str, Any], words: Mapping[str, str]) -> str:
    """The decision on a complaint that was put right at once; it names the recourse like any decision."""
    return join_paragraphs(
        letter.text("decision"),
        _complaint_section(letter),
        section(letter.text("decision.found"), letter.text(f"finding.{facts['finding']}")),
        section(letter.text("decision.did"), words["done"]),
        _decided_by(letter),
        _if_you_disagree(letter),
    )


def full_decision(
    letter: Letter,
    facts: Mapping[str, Any],
    words: Mapping[str, str],
    *,
    issue_texts: Sequence[str],
    now: datetime,
) -> str:
    """The decision issue by issue; `issue_texts` are the issues in the words of the assessment, if any."""
    rows = facts.get("issues", [])
    sections = []
    for index, issue in enumerate(rows):
        issues = letter.case.issues
        category = issues[index].category if index < len(issues) else "other"
        name = issue_texts[index].strip() if index < len(issue_texts) else ""
        if len(rows) > 1:
            name = f"{index + 1}. {name or letter.text(f'category.{category}')}"
        sections.append(
            join_paragraphs(
                name,
                section(letter.text("decision.found"), letter.text(f"finding.{issue['finding']}")),
                section(letter.text("decision.why"), words.get(f"issues.{index}.reasons", "")),
            )
        )
    changes = words.get("changes", "").strip()
    remedies = _remedies(letter, facts, words, now)
    # Without a remedy, the handler's own reason; "we do nothing further" would deny the changes below it.
    will = (
        remedies
        or words.get("nothing_why", "").strip()
        or ("" if changes else letter.text("decision.nothing"))
    )
    return join_paragraphs(
        letter.text("decision"),
        _complaint_section(letter),
        *sections,
        section(letter.text("decision.will" if remedies else "decision.will_nothing"), will) if will else "",
        section(letter.text("decision.changes"), changes) if changes else "",
        _decided_by(letter),
        _if_you_disagree(letter),
        letter.text("decision.format"),
    )


def in_short(letter: Letter, facts: Mapping[str, Any], words: Mapping[str, str], now: datetime) -> str:
    """What was found, what we do and by when, and how to reply; without the words of the people."""
    findings = [row["finding"] for row in facts.get("issues", [])] or [facts["finding"]]
    return "\n".join(
        (
            *(letter.text(f"finding.{finding}") for finding in dict.fromkeys(findings)),
            *_remedies(letter, facts, {}, now).splitlines(),
            letter.text("decision.reply", span=letter.span(letter.case.rules.targets.lapse)),
        )
    )


def _complaint_section(letter: Letter) -> str:
    """What the complainant wrote and signed, in their own words."""
    complaint = letter.complaint_text
    count = partial(letter.texts.count, letter.language)
    text = complaint.words.strip() or without_words(complaint, letter.text, count)
    return section(letter.text("decision.told"), shorten(text, MAX_QUOTED))


def _remedies(letter: Letter, facts: Mapping[str, Any], words: Mapping[str, str], now: datetime) -> str:
    lines = []
    for index, remedy in enumerate(facts.get("remedies", [])):
        text = words.get(f"remedies.{index}.text", "")
        description = letter.remedy(remedy["type"], text, remedy.get("amount"), remedy.get("currency"))
        if remedy.get("needs_acceptance"):
            lines.append(letter.text("decision.offer", remedy=description))
            continue
        promised = remedy.get("promised_by_date")
        due_at: date | datetime = (
            date.fromisoformat(promised)
            if promised
            else due(now, letter.case.rules.targets.remedy, letter.case.rules.calendar).at
        )
        lines.append(letter.text("decision.remedy", remedy=description, date=letter.due_day(due_at)))
    return "\n".join(lines)


def _decided_by(letter: Letter) -> str:
    """A person decided, and at which level; in a review, one who had no part in the earlier decision (4.5)."""
    case = letter.case
    # After a reopening, the person who decided at this level may decide again.
    again = any(decision.level == case.level and decision is not case.decision for decision in case.decisions)
    id_ = "decision.by_others" if case.reviews_decision and not again else "decision.by"
    return letter.text(id_, level=case.level, levels=case.rules.top_level)


def _if_you_disagree(letter: Letter) -> str:
    case = letter.case
    lines = [
        letter.text("decision.reply", span=letter.span(case.rules.targets.lapse)),
        letter.text(_next_review(letter)),
        letter.text("decision.outside"),
        letter.body_list(),
    ]
    return section(letter.text("decision.disagree"), "\n".join(lines))


#: What can follow a disagreement: a review by other people, no reviewer left for it, or no further level.
_REVIEWS = ("decision.next_level", "decision.nobody_left", "decision.no_level")


def _next_review(letter: Letter) -> str:
    if letter.case.level >= letter.case.rules.top_level:
        return "decision.no_level"
    return "decision.next_level" if letter.reviewers > 0 else "decision.nobody_left"


def as_it_leaves(
    letter: Letter,
    text: str,
    facts: Mapping[str, Any],
    words: Mapping[str, str],
    written_at: datetime,
    decided_at: datetime,
) -> str:
    """The stored letter with the review that is possible now and the dates that count from the decision.

    The approver counts as involved too, and the time to carry out a remedy counts from the approval.
    """
    # The reader may be known as a child only since it was written.
    for texts, language in product([letter.texts, letter.texts.to(child=True)], letter.texts.languages):
        in_language = replace(letter, texts=texts, language=language)
        promised = _remedies(in_language, facts, words, written_at)
        if promised:
            text = text.replace(promised, _remedies(in_language, facts, words, decided_at))
        for id_ in _REVIEWS:
            text = text.replace(in_language.text(id_), in_language.text(_next_review(letter)))
    return text


def outside_decision(letter: Letter, facts: Mapping[str, Any], words: Mapping[str, str]) -> str:
    """What an outside body decided, which overrides our decision, or that we have complied with it."""
    body = words.get("body", "").strip()
    if facts.get("event") == "complied":
        return letter.text("outside.complied", body=body)
    outcome = words.get("outcome", "").strip()
    comply_by = facts.get("comply_by")
    must_comply = comply_by and facts.get("complainant_accepts") != "no"
    return join_paragraphs(
        letter.text("outside", body=body),
        section(letter.text("outside.decided"), outcome) if outcome else "",
        letter.text("outside.above") if facts.get("overturned") == "yes" else "",
        letter.text("outside.by", date=letter.due_day(date.fromisoformat(str(comply_by))))
        if must_comply
        else "",
    )


def next_body(letter: Letter, index: int) -> str:
    """The outside body after the one whose decision the complainant refused; `index` of the body, from 0."""
    body = body_line(letter.texts, letter.language, index + 1, letter.case.rules.recourse[index])
    return letter.text("recourse.next", body=body)


def no_independent(letter: Letter) -> str:
    """No possible decision-maker is independent: the outside bodies can act at once."""
    return letter.text("recourse.no_independent", bodies=letter.body_list())


def remedy_done(letter: Letter, remedy: RemedyOwed, words: Mapping[str, str]) -> str:
    """A remedy was carried out; the complainant is asked to check it."""
    done = remedy.done_at or letter.case.received_at
    return letter.text(
        "remedy_done", remedy=letter.recorded_remedy(remedy, words), date=letter.event_day(done)
    )


def remedy_late(letter: Letter, remedy: RemedyOwed, words: Mapping[str, str], now: datetime) -> str:
    """A promised date will be missed, or was missed, with the date of the next news."""
    promised = _promised_date(letter, remedy)
    return letter.text(
        "remedy_late.missing" if promised > now else "remedy_late",
        remedy=letter.recorded_remedy(remedy, words),
        date=letter.due_day(promised),
        again=letter.due_day(next_news(letter.case, now)),
    )


def remedy_still_late(letter: Letter, remedy: RemedyOwed, words: Mapping[str, str], now: datetime) -> str:
    """A remedy reported as late is still not done: the next news, and that outside bodies can act now."""
    case = letter.case
    text = letter.text(
        "remedy_late.still",
        remedy=letter.recorded_remedy(remedy, words),
        date=letter.due_day(_promised_date(letter, remedy)),
        again=letter.due_day(next_news(case, now)),
    )
    return join_paragraphs(text, outside_now(letter) if case.rules.recourse else "")


def _promised_date(letter: Letter, remedy: RemedyOwed) -> datetime:
    """The current promised date: it may have been moved since the decision."""
    target = letter.case.target(Target.REMEDY, remedy.n)
    return target.promised_due if target is not None else remedy.due


def reply_reminder(letter: Letter) -> str:
    """The only reminder to reply to the decision, with the time limit of the outside bodies."""
    case = letter.case
    lapse = case.target(Target.LAPSE)
    communicated = case.decision.communicated_at if case.decision is not None else None
    return letter.text(
        "reply_reminder",
        told=letter.event_day(communicated or case.received_at),
        date=letter.due_day(lapse.promised_due if lapse is not None else case.received_at),
        outside=paragraph_below(_still_outside(letter)),
    )


def _still_outside(letter: Letter) -> str:
    """The outside bodies, which the complainant can still go to; empty if there is none."""
    if not letter.case.rules.recourse:
        return ""
    return letter.text("reply_reminder.outside", bodies=letter.body_list())


def recourse(letter: Letter) -> str:
    """No further internal level, or no reviewer left for it: the outside bodies in their order."""
    no_level = letter.case.level >= letter.case.rules.top_level
    return letter.text("recourse" if no_level else "recourse.nobody_left", bodies=letter.body_list())


def summary(letter: Letter) -> str:
    """The summary resolution communication: settled early and accepted, and the outside bodies for later."""
    case = letter.case
    return letter.text(
        "summary",
        received=letter.event_day(case.received_at),
        accepted=letter.event_day(case.reply_at or case.received_at),
        bodies=letter.body_list(),
    )


def closing_template(case: Case, code: str) -> str:
    """The text of a closing: not every resolved complaint had a promise, and not every one taken back is closed."""
    if code == CloseCode.RESOLVED and not case.owed_remedies:
        return "closing.resolved.nothing_owed"
    if code == CloseCode.WITHDRAWN and case.is_open:
        return "closing.withdrawn.goes_on"
    return f"closing.{code}"


def closing(letter: Letter, code: str, words: Mapping[str, str], *, other: str = "") -> str:
    """How the complaint ended, by its close code, and how to reopen it; `words` are those of the closing act.

    `other` is the reference of the complaint that continues after a merge.
    """
    case = letter.case
    ended = case.closed_at or case.received_at
    until = due(ended, case.rules.targets.reopen_window, case.rules.calendar).at
    text = letter.text(
        closing_template(case, code),
        again=letter.text("closing.again", date=letter.due_day(until)),
        reason=words.get("reason", "").strip() or letter.text("closing.no_reason"),
        bodies=letter.body_list(),
        other=other,
    )
    return join_paragraphs(text, _still_outside(letter) if code == CloseCode.EXHAUSTED else "")


def survey(letter: Letter, *, reminder: bool = False) -> str:
    """The purpose of the survey and its first question; the others follow after each answer."""
    question = letter.text(f"survey.{SURVEY[0]}")
    return letter.text("survey_reminder" if reminder else "survey", question=question)
