"""What the model proposed and which complaints are similar: names and figures on the card, the words only in forms.

The card is in a channel and has none of the complainant's words (docs/surfaces.md). What the forms show is for the
person who opened them: words for and against, the matters, the facts found in the words, similar cases.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from bots.sign_names import rule_name
from bots.slack.client.block_kit import Block, actions, button, cut, escaped, plain_section, section, sections
from bots.slack.staff_texts import StaffTexts
from complaints.case import Case
from complaints.case_values import RULES_ALONE, Certainty, Proposed, certainty
from complaints.similarity import LinkSuggestion, SimilarCase, SimilarCluster, SuggestedLink, suggested_links
from complaints.times import local_time
from complaints.vocabulary import ContactKind
from store.values import OpenedCase
from triage.sentences import issue_title

#: The action id of the button that copies the proposed matters into the form.
TAKE_MATTERS = "matters"
#: So many references of a cluster are named; the command line lists the others.
_MAX_REFS = 6
#: At most so many words for and against, and so many facts.
_MAX_WORDS, _MAX_FACTS = 8, 10
#: At most so many words behind a criterion, each with at most so many code points.
_MAX_EVIDENCE, _EVIDENCE_LENGTH = 5, 40
_CRITICAL = 4
"""Severity from which on the card itself shows the reason."""
_HARM_LABELS = {"severity": "open.severity", "safety": "open.safety"}
_UNSURE_TEXTS = {
    Certainty.BETWEEN: "card.not_sure",
    Certainty.PROBABLY: "card.probably",
    Certainty.UNCLEAR: "card.unclear",
}


def proposal_lines(case: Case, texts: StaffTexts) -> list[str]:
    """The proposal on the card until a person assesses: category or doubt, intent, number of matters."""
    proposed = case.proposed
    if proposed is None or case.assessment is not None:
        return []
    lines = [_category_line(proposed, texts), *_why_critical(proposed, texts)]
    if proposed.intent is not ContactKind.COMPLAINT and case.kind is ContactKind.COMPLAINT:
        kind = texts.text(f"kind.{proposed.intent.value}")
        percent = _percent(proposed.intent_probability)
        lines.append(texts.text("card.intent", kind=kind, percent=percent))
    if len(proposed.issues) > 1:
        categories = ", ".join(texts.text(f"category.{issue}") for issue in proposed.issues)
        lines.append(texts.text("card.matters", number=len(proposed.issues), categories=categories))
    return lines


def model_line(case: Case, texts: StaffTexts) -> str:
    """The proposal in one line for the opened complaint; in doubt the line names the doubt."""
    proposed = case.proposed
    if proposed is None:
        return texts.text("open.no_proposal")
    if proposed.abstained or proposed.probability == 0:
        return _category_line(proposed, texts)
    category, percent = texts.text(f"category.{proposed.category}"), _percent(proposed.probability)
    return texts.text("open.model", category=category, percent=percent, severity=proposed.severity)


def proposal_blocks(opened: OpenedCase, texts: StaffTexts) -> list[Block]:
    """The proposal with its reasons, for people who may read the words; empty without a proposal."""
    case, proposal = opened.case, opened.proposal or {}
    if case.proposed is None:
        return []
    lines = proposal_lines(case, texts) or [_category_line(case.proposed, texts)]
    lines += [line for line in (_alternatives(proposal, texts), *_reasons(proposal, texts)) if line]
    rules = rule_names(case, texts)
    if rules:
        lines.append(texts.text("card.rules", rules=rules))
    lines += _criteria(case.proposed, proposal.get("criteria") or (), texts)
    blocks = sections(lines)
    blocks += _matters(proposal, texts)
    blocks += _facts(proposal, texts)
    blocks += _similar_cases(proposal, texts)
    return blocks


def take_matters_blocks(opened: OpenedCase, texts: StaffTexts) -> list[Block]:
    """The button that copies the proposed matters into the form's rows; none for a single matter.

    They are not copied without a press, because each row needs a finding of its own.
    """
    matters = proposed_matters((opened.proposal or {}).get("issues"))
    if not matters:
        return []
    value = json.dumps(matters, ensure_ascii=False, separators=(",", ":"))
    return [actions("matters.issues", [button(texts.text("open.take_matters"), TAKE_MATTERS, value)])]


def proposed_matters(issues: Any) -> list[tuple[str, str]]:
    """The proposed matters as (title, category), if there are two or more.

    The decision letter prints the titles below the whole story. Four fit into a button's value of 2,000 characters.
    """
    matters = list(issues or ())
    if len(matters) < 2:
        return []
    return [(issue_title(str(issue.get("text") or "")), str(issue["category"])) for issue in matters]


def uncertain_categories(case: Case) -> tuple[str, ...]:
    """The two categories between which the model is uncertain; the form offers them first."""
    proposed = case.proposed
    if proposed is None or not proposed.abstained or proposed.other is None or proposed.probability == 0:
        return ()
    return (proposed.category, proposed.other)


def rule_names(case: Case, texts: StaffTexts) -> str:
    """The names of the safety rules that fired, as mrkdwn."""
    overruled = case.overruled_signs
    names = [rule_name(sign.rule, texts.text) for sign in case.signs if sign not in overruled]
    names += [texts.text("card.rule_overruled", rule=rule_name(sign.rule, texts.text)) for sign in overruled]
    return escaped(cut(", ".join(dict.fromkeys(names)), 300))


def similar_blocks(
    case: Case, similar: Sequence[SimilarCase], texts: StaffTexts, *, now: datetime
) -> list[Block]:
    """The links to suggest, at most two lines; `similar` holds only what the reader may know of."""
    return [
        section(
            _link_line(case, link, texts),
            block_id=f"like.{link.step.value}",
            accessory=button(
                texts.text(f"like.do.{link.step.value}"),
                "case.link",
                f"{link.ref}:{link.step.value}:{link.other}",
            ),
        )
        for link in suggested_links(case, similar, now=now)
    ]


def link_initial(suggested_link: tuple[str, str]) -> Mapping[str, Any]:
    """The initial values of the form of a link, from the relation and the other reference of the button."""
    relation, other = suggested_link
    initial = {} if relation == LinkSuggestion.LOOK else {"relation": relation}
    return {**initial, "other_ref": other}


def cluster_lines(clusters: Sequence[SimilarCluster], texts: StaffTexts) -> list[str]:
    """`4: A7K-M3Q-9T, …`: each cluster with its size and the newest references."""
    return [
        texts.text(
            "like.cluster",
            number=cluster.count,
            refs=", ".join(cluster.refs[:_MAX_REFS]) + (" …" if cluster.count > _MAX_REFS else ""),
        )
        for cluster in clusters
    ]


def _category_line(proposed: Proposed, texts: StaffTexts) -> str:
    grades = {"severity": proposed.severity, "safety": proposed.safety}
    if proposed.probability == 0:
        # A model that knows none of this organisation's categories is different from no model at all.
        has_no_model = proposed.model in (None, RULES_ALONE)
        return texts.text("card.rules_alone" if has_no_model else "card.knows_none", **grades)
    fields = {
        "category": texts.text(f"category.{proposed.category}"),
        "percent": _percent(proposed.probability),
        **grades,
    }
    if not proposed.abstained or proposed.other is None:
        return texts.text("card.proposed", **fields)
    sure = certainty(proposed.probability, proposed.other_probability, abstained=True)
    return texts.text(
        _UNSURE_TEXTS[sure],
        other=texts.text(f"category.{proposed.other}"),
        other_percent=_percent(proposed.other_probability),
        **fields,
    )


def _alternatives(proposal: Mapping[str, Any], texts: StaffTexts) -> str:
    others = ", ".join(
        _share_of(str(other["category"]), float(other["probability"]), texts)
        for other in list(proposal.get("alternatives") or ())[:3]
        # Less would be shown as 0 %.
        if float(other["probability"]) >= 0.005
    )
    return texts.text("open.alternatives", others=others) if others else ""


def _reasons(proposal: Mapping[str, Any], texts: StaffTexts) -> list[str]:
    """The words of the complainant that speak for the category and against it."""
    lines: dict[str, list[str]] = {"open.because": [], "open.against": []}
    for reason in list(proposal.get("because") or ())[:_MAX_WORDS]:
        text_id = "open.because" if float(reason["weight"]) > 0 else "open.against"
        lines[text_id].append(f"“{escaped(str(reason['word']), 60)}”")
    return [texts.text(text_id, words=", ".join(words)) for text_id, words in lines.items() if words]


def _why_critical(proposed: Proposed, texts: StaffTexts) -> list[str]:
    """Which figure led to a severity of 4 or 5; for a rule the card shows its name, and the forms show the words."""
    rows = [asdict(row) for row in proposed.criteria if row.field == "severity" and row.reason != "rule"]
    return _criteria(proposed, rows, texts) if proposed.severity >= _CRITICAL else []


def _criteria(proposed: Proposed, rows: Sequence[Mapping[str, Any]], texts: StaffTexts) -> list[str]:
    """Why each criterion is proposed as it is, with the words or the figures behind the reason."""
    highest: Mapping[str, int] = {"severity": proposed.severity, "safety": proposed.safety}
    lines = []
    for row in rows:
        name = str(row["field"])
        value = highest.get(name, row["value"])
        # An earlier proposal for the same complaint was graver, and the highest counts.
        is_own_value = value == row["value"]
        reason = texts.text(f"criterion.{row['reason']}" if is_own_value else "criterion.graver_before")
        evidence = ", ".join(_evidence(row, texts)) if is_own_value else ""
        label = texts.text(_HARM_LABELS.get(name, f"field.{name}"), value=value)
        text_id = "open.criterion_because" if evidence else "open.criterion"
        lines.append(texts.text(text_id, field=label, reason=reason, evidence=evidence))
    return lines


def _evidence(row: Mapping[str, Any], texts: StaffTexts) -> Iterator[str]:
    probability, limit = row.get("probability"), row.get("limit")
    if row.get("category") is not None and probability:
        yield _share_of(str(row["category"]), float(probability), texts)
    elif probability is not None and limit is not None:
        yield texts.text("open.over_limit", percent=texts.percent(probability), limit=texts.percent(limit))
    if row.get("number") is not None:
        yield str(row["number"])
    for word in list(row.get("words") or ())[:_MAX_EVIDENCE]:
        yield f"“{escaped(str(word), _EVIDENCE_LENGTH)}”"


def _share_of(category: str, probability: float, texts: StaffTexts) -> str:
    return texts.text(
        "open.share", category=texts.text(f"category.{category}"), percent=_percent(probability)
    )


def _facts(proposal: Mapping[str, Any], texts: StaffTexts) -> list[Block]:
    """The facts found in the words, so that staff do not ask for them again."""
    # The words of an answer name facts of the story again.
    facts = {(fact["kind"], fact["value"]): fact for fact in reversed(proposal.get("details") or ())}
    lines = [
        f"{texts.text('detail.' + str(fact['kind']))}: {fact['text']}"
        for fact in list(reversed(facts.values()))[:_MAX_FACTS]
    ]
    return [plain_section(f"{texts.text('open.details')}\n" + "\n".join(lines))] if lines else []


def _similar_cases(proposal: Mapping[str, Any], texts: StaffTexts) -> list[Block]:
    """The most similar confirmed cases; the store left out those that the reader may not know of."""
    lines = [
        texts.text(
            "open.similar_one",
            ref=str(similar["ref"]),
            category=texts.text(f"category.{similar['category']}"),
            severity=similar["severity"] if similar.get("severity") is not None else "–",
            percent=_percent(float(similar["likeness"])),
        )
        for similar in proposal.get("similar") or ()
    ]
    return [section(f"{texts.text('open.similar')}\n" + "\n".join(lines))] if lines else []


def _matters(proposal: Mapping[str, Any], texts: StaffTexts) -> list[Block]:
    lines = [
        f"{texts.text('category.' + category)}: {text}"
        for text, category in proposed_matters(proposal.get("issues"))
    ]
    return [plain_section(f"{texts.text('open.matters')}\n" + "\n".join(lines))] if lines else []


def _percent(share: float) -> int:
    return round(share * 100)


def _link_line(case: Case, link: SuggestedLink, texts: StaffTexts) -> str:
    other = link.other if link.ref == case.ref else link.ref
    match link.step:
        case LinkSuggestion.LOOK if link.closed_at is not None:
            day = texts.day(local_time(link.closed_at, case.rules.calendar.zone).date())
            return texts.text("like.look", other=other, day=day)
        case LinkSuggestion.JOIN if link.incident is not None:
            return texts.text("like.known", number=link.count, other=other, incident=link.incident)
        case LinkSuggestion.JOIN:
            return texts.text("like.same_incident", number=link.count, other=other)
        case _:
            return texts.text("like.duplicate", other=other)
