"""`amends triage propose`: what triage proposes for a text (7.5), in words or as JSON."""

from __future__ import annotations

import json as json_module
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from amends.cli.console import err, print_line
from amends.cli.options import Json, config_file, load_settings, open_record
from amends.cli.triage.model_files import load_file, starter_model
from complaints.case_values import Certainty, certainty
from reports.words import in_words

if TYPE_CHECKING:
    from amends.documents.labels import Labels
    from amends.settings import Settings
    from triage.criteria import Criterion
    from triage.model.pipeline import Model
    from triage.proposal import Proposal
    from triage.proposal_context import ProposalContext


def propose(
    text: Annotated[str | None, typer.Argument()] = None,
    *,
    model: Path | None = None,
    json: Json = False,
) -> None:
    from amends.settings import SettingsError
    from triage.proposal import propose as propose_for

    try:
        settings, reason = load_settings(), "No model in use"
    except SettingsError as error:
        if config_file() is not None:
            raise
        # The command also works without an installation.
        settings, reason = None, str(error)
    loaded = _chosen_model(model, settings, reason)
    about = _about(settings, own_categories=model is None)
    if text is not None and not json:
        _print_proposal(propose_for(loaded, text, about))
        return
    for line in [text] if text is not None else _texts_on_stdin():
        proposal = propose_for(loaded, line, about)
        sys.stdout.write(json_module.dumps(proposal.as_json(), ensure_ascii=False) + "\n")
        sys.stdout.flush()


def _chosen_model(file: Path | None, settings: Settings | None, reason: str) -> Model:
    if file is not None:
        if not file.is_file():
            raise typer.BadParameter(f"{file} does not exist", param_hint="--model")
        return load_file(file)
    if settings is None:
        err.print(f"{reason}: the starter model proposes.")
        return starter_model(None)
    from amends.settings import SettingsError
    from store.database.errors import StoreError
    from store.models.models import load_active_model, read_model_blob
    from triage.model.artefact import load

    try:
        with open_record() as (_, store):
            active = store.read(load_active_model)
            if active is not None:
                return load(store.read(read_model_blob, active[2]), sha256=active[0])
    except (SettingsError, StoreError) as error:
        if config_file() is not None:
            raise
        # The installation may not be complete yet, and no one named it.
        reason = str(error)
    err.print(f"{reason}: the starter model proposes.")
    return starter_model(settings.organisation.languages)


def _about(settings: Settings | None, *, own_categories: bool) -> ProposalContext:
    from amends.settings import rulebook
    from complaints.rulebook import categories_of
    from triage.matching import LANGUAGES
    from triage.proposal_context import ProposalContext
    from triage.safety.organisation import own_sign

    about = ProposalContext(languages=LANGUAGES, received=datetime.now(UTC).date())
    if settings is None:
        return about
    rules = rulebook(settings)
    return replace(
        about,
        languages=rules.languages,
        danger=tuple(own_sign(danger.signs, danger.number, danger.text) for danger in rules.danger),
        country=rules.country,
        # A model file that was named may know other categories than this desk.
        categories=categories_of(rules) if own_categories else about.categories,
    )


def _texts_on_stdin() -> Iterator[str]:
    for number, line in enumerate(sys.stdin, 1):
        if not line.strip():
            continue
        try:
            value: Any = json_module.loads(line)
        except ValueError as error:
            raise typer.BadParameter(
                f'line {number} is not JSON: give one object with "text" a line'
            ) from error
        text = value.get("text") if isinstance(value, dict) else value
        if not isinstance(text, str):
            raise typer.BadParameter(f'line {number} has no "text": give one object with "text" a line')
        yield text


def _print_proposal(proposal: Proposal) -> None:
    from amends.documents.facts import value_words
    from amends.documents.labels import load_labels
    from bots.texts.texts import language_name

    labels = load_labels(("en",), "UTC", staff=True)
    sections = {
        "Category": _category_lines(proposal),
        "Severity": _severity_lines(proposal),
        "Matters": [
            f"{number}. {in_words(matter.category)} ({matter.probability:.0%}): {' '.join(matter.text.split())}"
            for number, matter in enumerate(proposal.issues, start=1)
        ],
        "Reasons": _reason_lines(proposal, labels),
        "Facts": [
            f"{labels.text(f'detail.{fact.kind}')}: {value_words(fact.kind, fact.value, labels)} ({fact.text})"
            for fact in proposal.details
        ],
        "Similar": [
            f"{case.ref} ({case.similarity:.0%}), {in_words(case.category or '–')}"
            for case in proposal.similar
        ],
        "Model": [f"{proposal.model_version}, {language_name(proposal.language)}"],
    }
    for heading, lines in sections.items():
        for number, line in enumerate(lines):
            print_line(f"{'' if number else heading:10}{line}")


_UNSURE = {
    Certainty.BETWEEN: "not sure: ",
    Certainty.PROBABLY: "probably: ",
    Certainty.UNCLEAR: "no clear category, most likely: ",
}


def _category_lines(proposal: Proposal) -> Iterator[str]:
    ranked = [(proposal.category, proposal.probability)]
    ranked += [(other.category, other.probability) for other in proposal.alternatives]
    named = [f"{in_words(category)} ({probability:.0%})" for category, probability in ranked]
    if proposal.probability == 0:
        why = "because the model knows no word of this text or no category for it"
        yield f"not sure: {in_words(proposal.category)}, {why}"
        return
    sure = certainty(
        proposal.probability,
        proposal.alternatives[0].probability if proposal.alternatives else 0,
        abstained=proposal.abstained,
    )
    offered = 2 if sure is Certainty.BETWEEN else 1
    yield f"{_UNSURE.get(sure, '')}{' or '.join(named[:offered])}"
    if named[offered:]:
        yield f"less likely: {', '.join(named[offered:])}"
    if proposal.intent.kind != "complaint":
        yield f"perhaps no complaint but: {in_words(proposal.intent.kind)} ({proposal.intent.probability:.0%})"
    if proposal.restricted:
        yield "restricted: it may be about a member of staff or about our own handling"


def _severity_lines(proposal: Proposal) -> Iterator[str]:
    critical = "" if proposal.p_critical is None else f"; critical with {proposal.p_critical:.0%}"
    yield f"{proposal.severity} of 5; safety {proposal.safety} of 3{critical}"


def _reason_lines(proposal: Proposal, labels: Labels) -> Iterator[str]:
    from amends.documents.facts import field_name, value_words

    for direction, sign in (("for", 1), ("against", -1)):
        words = [reason.word for reason in proposal.because if reason.weight * sign > 0]
        if words:
            yield f"words {direction} {in_words(proposal.category)}: {', '.join(words)}"
    if proposal.rules:
        yield f"safety rules: {value_words('rules', proposal.rules, labels)}"
    for criterion in proposal.criteria:
        value = value_words("value", criterion.value, labels)
        reason = labels.text(f"criterion.{criterion.reason}")
        evidence = "".join(f" ({item})" for item in _evidence(criterion))
        yield f"{field_name(criterion.field, labels)} {value}: {reason}{evidence}"


def _evidence(criterion: Criterion) -> Iterator[str]:
    """The category, the figures and the words behind the reason of a criterion."""
    if criterion.limit is not None:
        yield f"{criterion.probability:.1%}, alert from {criterion.limit:.1%}"
    elif criterion.category is not None and criterion.probability:
        yield f"{in_words(criterion.category)} {criterion.probability:.0%}"
    if criterion.number is not None:
        yield str(criterion.number)
    if criterion.words:
        yield ", ".join(f'"{" ".join(word.split())}"' for word in criterion.words)
