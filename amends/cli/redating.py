"""`amends case redate`: open complaints under the rules of today, looked at first, then done (7.3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from amends.cli.case import reference
from amends.cli.ending import NOT_WELL
from amends.cli.opened import Config, Json, opened
from amends.cli.printing import as_json, err, local, out, table
from amends.cli.progress import bar
from amends.settings import SettingsError, rulebooks
from amends.settings.problems import Problem
from complaints.case_values import TargetSet
from complaints.errors import AlreadyDone, ComplaintError
from complaints.rulebook import Rulebooks
from complaints.timestamps import format_time
from reports.render_markdown import many
from store.cases.redate import RedatedCase, RuleChange, list_open_refs, preview_redate
from store.cases.redate import redate as store_redate
from store.rulebooks import use_rulebooks
from store.store import Store

_WHOSE = "With references: the country whose rules they go on under. With --all: only those under its rules."


@dataclass(frozen=True)
class _Wish:
    """What is asked for, of each complaint alike."""

    known: Rulebooks
    reason: str
    jurisdiction: str | None
    later: bool


@dataclass
class _Found:
    """What became, or would become, of the complaints that were meant."""

    changed: list[RedatedCase] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)


def redate(
    refs: Annotated[list[str] | None, typer.Argument(metavar="[REF]...", help="References.")] = None,
    *,
    all_: Annotated[bool, typer.Option("--all", help="Every open complaint.")] = False,
    jurisdiction: Annotated[str | None, typer.Option(help=_WHOSE)] = None,
    reason: Annotated[str, typer.Option(help="Why: on the record, and told to whom a promise moves later.")],
    allow_later: Annotated[
        bool, typer.Option("--allow-later", help="Promised dates may move later; the complainants are told.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """Count the dates of open complaints anew by amends.toml as it stands: settings alone move none of them.

    What would change is shown first. A repeat changes nothing; what was interrupted goes on by the same command.
    """
    if bool(refs) == all_:
        raise _misused("redate", "name references, or write --all")
    if not reason.strip():
        raise _misused("--reason", "is empty: say why, it stays on the record")
    with opened(config) as (settings, store):
        known = rulebooks(settings)
        code = known.code(jurisdiction or "")
        if jurisdiction is not None and code is None:
            raise _misused("--jurisdiction", f"{jurisdiction} is not set; known are {', '.join(known.codes)}")
        meant = store.read(list_open_refs, code) if all_ else [reference(one) for one in refs or ()]
        wish = _Wish(known, reason.strip(), None if all_ else code, allow_later)
        found = _looked_at(store, meant, wish)
        if not json:
            _show(found)
        done = not dry_run and bool(found.changed) and (yes or (not json and _agreed(found)))
        if done:
            found = _done(store, found, wish)
        if json:
            as_json(_document(found, done=done))
        else:
            _told(found, done=done)
    if found.refused:
        raise typer.Exit(NOT_WELL)


def _misused(key: str, what: str) -> SettingsError:
    return SettingsError([Problem(key, "command line", what)])


def _looked_at(store: Store, meant: Sequence[str], wish: _Wish) -> _Found:
    found = _Found()
    with bar("Looking") as progress:
        for number, ref in enumerate(meant, start=1):
            try:
                found.changed.append(
                    store.read(
                        preview_redate,
                        ref,
                        wish.known,
                        wish.reason,
                        jurisdiction=wish.jurisdiction,
                        later=wish.later,
                    )
                )
            except AlreadyDone:
                found.same.append(ref)
            except ComplaintError as refused:
                found.refused.append((ref, str(refused)))
            progress(number, len(meant))
    return found


def _done(store: Store, looked_at: _Found, wish: _Wish) -> _Found:
    """Each complaint in a transaction of its own; the rules hold for new ones from now on too."""
    store.write(use_rulebooks, wish.known)
    found = _Found(same=looked_at.same, refused=looked_at.refused)
    with bar("Redating") as progress:
        for number, one in enumerate(looked_at.changed, start=1):
            try:
                found.changed.append(
                    store.write(
                        store_redate,
                        one.ref,
                        wish.known,
                        wish.reason,
                        jurisdiction=wish.jurisdiction,
                        later=wish.later,
                        seen=one.version,
                    )
                )
            except ComplaintError as refused:
                # Somebody worked on it meanwhile: the others go on, and a repeat takes up what is left.
                found.refused.append((one.ref, str(refused)))
            progress(number, len(looked_at.changed))
    return found


def _agreed(found: _Found) -> bool:
    if not err.is_terminal:
        err.print("Nothing was changed: repeat it with --yes.")
        return False
    return typer.confirm(f"Change {many(len(found.changed), 'complaint')} as shown?", err=True)


def _show(found: _Found) -> None:
    for one in found.changed:
        (old, new), (was, now) = one.jurisdiction, one.rulebook
        under = new if old == new else f"{old} → {new}"
        if not one.changes:
            out.print(f"{one.ref} ({under}): no date moves; rules {was[:8]} → {now[:8]}.")
            continue
        table(
            f"{one.ref} ({under}), rules {was[:8]} → {now[:8]}",
            ("date", "inside", "", "promised", "", "rule", ""),
            (_row(change, ZoneInfo(one.zone)) for change in one.changes),
        )
    for ref, why in found.refused:
        err.print(f"{ref}: {why}")


def _row(one: RuleChange, zone: ZoneInfo) -> tuple[str | None, ...]:
    either = one.after or one.before
    name = "" if either is None else either.target.value + (f" {either.of}" if either.of else "")
    return (
        name,
        _at(one.before, "internal_due", zone),
        _at(one.after, "internal_due", zone),
        _at(one.before, "promised_due", zone),
        _at(one.after, "promised_due", zone),
        None if one.after is None else f"{one.after.basis.split(';')[0]}: {one.after.span}",
        " ".join(_notes(one)),
    )


def _notes(one: RuleChange) -> Iterator[str]:
    if one.after is None:
        yield "no longer asked for"
    if one.told:
        yield "promise moves later: told"
    if one.kept:
        yield "promise kept; --allow-later would move it"


def _at(one: TargetSet | None, name: str, zone: ZoneInfo) -> str | None:
    return None if one is None else local(format_time(getattr(one, name)), zone)


def _told(found: _Found, *, done: bool) -> None:
    told = sum(any(change.told for change in one.changes) for one in found.changed)
    verb = "changed" if done else "would change"
    out.print(
        f"{len(found.changed)} {verb} ({told} with a promise that moves later), {len(found.same)} are under these "
        f"rules already, {len(found.refused)} cannot be changed."
    )


def _document(found: _Found, *, done: bool) -> dict[str, Any]:
    return {
        "done": done,
        "cases": [
            {
                "ref": one.ref,
                "jurisdiction": {"before": one.jurisdiction[0], "after": one.jurisdiction[1]},
                "rulebook": {"before": one.rulebook[0], "after": one.rulebook[1]},
                "changes": [_change(change) for change in one.changes],
            }
            for one in found.changed
        ],
        "unchanged": found.same,
        "refused": [{"ref": ref, "why": why} for ref, why in found.refused],
    }


def _change(one: RuleChange) -> dict[str, Any]:
    either = one.after or one.before
    return {
        "target": None if either is None else either.target.value,
        "of": None if either is None else either.of,
        "before": _dates(one.before),
        "after": _dates(one.after),
        "promise_moves_later": one.told,
        "promise_kept": one.kept,
        "because": list(one.because),
    }


def _dates(one: TargetSet | None) -> dict[str, Any] | None:
    if one is None:
        return None
    dates = {"internal_due": format_time(one.internal_due), "promised_due": format_time(one.promised_due)}
    return {"version": one.version, **dates, "basis": one.basis, "span": one.span}
