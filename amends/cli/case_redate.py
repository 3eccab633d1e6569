"""`amends case redate`: compute the dates of open complaints again under today's rules, after a preview (7.3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from amends.cli.console import err, local_time, out, print_json, print_table, progress_bar
from amends.cli.options import NOT_WELL, Json, bad_usage, open_record, parse_ref, staff_labels
from complaints.errors import AlreadyDone, ComplaintError
from complaints.times import format_time, json_fields
from reports.words import in_words, pluralise

if TYPE_CHECKING:
    from amends.documents.labels import Labels
    from complaints.case_values import TargetSet
    from complaints.rulebook import Rulebooks
    from store.cases.redate import RedatedCase, RuleChange
    from store.store import Store

_JURISDICTION = (
    "With references: the country whose rules apply to them. With --all: only those under its rules."
)


@dataclass
class _Result:
    changed: list[RedatedCase] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)


def redate(
    refs: Annotated[list[str] | None, typer.Argument(metavar="[REF]...")] = None,
    *,
    all_: Annotated[bool, typer.Option("--all")] = False,
    jurisdiction: Annotated[str | None, typer.Option(help=_JURISDICTION)] = None,
    reason: Annotated[str, typer.Option()],
    allow_later: Annotated[bool, typer.Option("--allow-later")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run")] = False,
    yes: Annotated[bool, typer.Option("--yes")] = False,
    json: Json = False,
) -> None:
    """Compute the dates of open complaints again by today's amends.toml: settings alone move none of them.

    What would change is shown first. A repeat changes nothing, and continues after an interruption.
    """
    from amends.settings import rulebooks
    from store.cases.redate import list_open_refs, preview_redate

    if bool(refs) == all_:
        raise bad_usage("redate", "name references, or write --all")
    if not reason.strip():
        raise bad_usage("--reason", "is empty: say why, it stays on the record")
    with open_record() as (settings, store):
        rules = rulebooks(settings)
        code = rules.code(jurisdiction or "")
        if jurisdiction is not None and code is None:
            raise bad_usage(
                "--jurisdiction", f"{jurisdiction} is not set; known are {', '.join(rules.codes)}"
            )
        selected = store.read(list_open_refs, code) if all_ else [parse_ref(ref) for ref in refs or ()]
        country, why = None if all_ else code, reason.strip()
        result = _for_each(
            selected,
            "Looking",
            lambda ref: store.read(preview_redate, ref, rules, why, jurisdiction=country, later=allow_later),
        )
        if not json:
            _print_changes(result, staff_labels(settings, settings.organisation.timezone))
        done = not dry_run and bool(result.changed) and (yes or (not json and _confirmed(result)))
        if done:
            result = _apply(store, result, rules, why, jurisdiction=country, later=allow_later)
        if json:
            print_json(_as_json(result, done=done))
        else:
            _print_summary(result, done=done)
    if result.refused:
        raise typer.Exit(NOT_WELL)


def _for_each(refs: Sequence[str], title: str, redate_one: Callable[[str], RedatedCase]) -> _Result:
    """What became of each complaint; one that is refused, or changed after the preview, stops no other."""
    result = _Result()
    with progress_bar(title) as progress:
        for number, ref in enumerate(refs, start=1):
            try:
                result.changed.append(redate_one(ref))
            except AlreadyDone:
                result.same.append(ref)
            except ComplaintError as refusal:
                result.refused.append((ref, str(refusal)))
            progress(number, len(refs))
    return result


def _apply(store: Store, preview: _Result, rules: Rulebooks, reason: str, **options: Any) -> _Result:
    """Redate each complaint in its own transaction; from now on the rules apply to new complaints too."""
    from store.cases.redate import redate as redate_case
    from store.rulebooks import use_rulebooks

    store.write(use_rulebooks, rules)
    versions = {redated.ref: redated.version for redated in preview.changed}
    result = _for_each(
        [*versions],
        "Redating",
        lambda ref: store.write(redate_case, ref, rules, reason, seen_version=versions[ref], **options),
    )
    return _Result(result.changed, [*preview.same, *result.same], [*preview.refused, *result.refused])


def _confirmed(result: _Result) -> bool:
    if not err.is_terminal:
        err.print("Nothing was changed: repeat it with --yes.")
        return False
    return typer.confirm(f"Change {pluralise(len(result.changed), 'complaint')} as shown?", err=True)


def _print_changes(result: _Result, labels: Labels) -> None:
    for redated in result.changed:
        (old, new), (old_rules, new_rules) = redated.jurisdiction, redated.rulebook
        country = new if old == new else f"{old} → {new}"
        rules = f"rules {old_rules[:8]} → {new_rules[:8]}"
        if not redated.changes:
            out.print(f"{redated.ref} ({country}): no date moves; {rules}.")
            continue
        print_table(
            f"{redated.ref} ({country}), {rules}",
            ("date", "inside", "", "promised", "", "rule", ""),
            (_row(change, ZoneInfo(redated.zone), labels) for change in redated.changes),
        )
    for ref, reason in result.refused:
        err.print(f"{ref}: {reason}")


def _row(change: RuleChange, zone: ZoneInfo, labels: Labels) -> tuple[str | None, ...]:
    from bots.sign_names import due_rule_name

    target = change.after or change.before
    name = "" if target is None else due_rule_name(target.target.value, labels.text)
    name += f" {target.of}" if target is not None and target.of else ""
    return (
        name,
        _local_time(change.before, "internal_due", zone),
        _local_time(change.after, "internal_due", zone),
        _local_time(change.before, "promised_due", zone),
        _local_time(change.after, "promised_due", zone),
        None
        if change.after is None
        else in_words(
            f"{due_rule_name(re.split('[;,]', change.after.basis)[0], labels.text)}: {change.after.span}"
        ),
        " ".join(_notes(change)),
    )


def _notes(change: RuleChange) -> Iterator[str]:
    if change.after is None:
        yield "no longer needed"
    if change.is_told:
        yield "promise moves later: complainant informed"
    if change.keeps_promise:
        yield "promise kept; --allow-later would move it"


def _local_time(target: TargetSet | None, name: str, zone: ZoneInfo) -> str | None:
    return None if target is None else local_time(format_time(getattr(target, name)), zone)


def _print_summary(result: _Result, *, done: bool) -> None:
    later = sum(any(change.is_told for change in redated.changes) for redated in result.changed)
    verb = "changed" if done else "would change"
    out.print(
        f"{len(result.changed)} {verb} ({later} with a promise that moves later), {len(result.same)} are under "
        f"these rules already, {len(result.refused)} cannot be changed."
    )


def _as_json(result: _Result, *, done: bool) -> dict[str, Any]:
    return {
        "done": done,
        "cases": [
            {
                "ref": redated.ref,
                "jurisdiction": {"before": redated.jurisdiction[0], "after": redated.jurisdiction[1]},
                "rulebook": {"before": redated.rulebook[0], "after": redated.rulebook[1]},
                "changes": [_change_as_json(change) for change in redated.changes],
            }
            for redated in result.changed
        ],
        "unchanged": result.same,
        "refused": [{"ref": ref, "why": reason} for ref, reason in result.refused],
    }


def _change_as_json(change: RuleChange) -> dict[str, Any]:
    target = change.after or change.before
    return {
        "target": None if target is None else target.target.value,
        "of": None if target is None else target.of,
        "before": _dates_as_json(change.before),
        "after": _dates_as_json(change.after),
        "promise_moves_later": change.is_told,
        "promise_kept": change.keeps_promise,
        "because": list(change.because),
    }


def _dates_as_json(target: TargetSet | None) -> dict[str, Any] | None:
    return None if target is None else json_fields(target, "version internal_due promised_due basis span")
