"""An organisation's own labels next to the categories of its desk: mapped to them, or refused with a remedy (7.5)."""

from __future__ import annotations

import csv
import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from amends.cli.console import err
from amends.cli.options import NOT_WELL

if TYPE_CHECKING:
    from amends.settings import Settings
    from amends.settings.sections import OwnCategory

Maps = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="OLD=NEW|FILE",
        help="Own labels to ours: old=new, again for each, or a file: CSV with old,new a line; TOML or JSON.",
    ),
]


@dataclass(frozen=True)
class LabelMaps:
    """What `--map` gave: categories by own label, and a file that may also name columns and other words."""

    categories: Mapping[str, str]
    file: Path | None = None


def read_maps(values: Sequence[str] | None) -> LabelMaps:
    """Read each `--map`. Raises BadParameter, and SettingsError for a TOML or JSON file that cannot be used."""
    from amends.past_complaints import read_mapping

    categories: dict[str, str] = {}
    mapping_file: Path | None = None
    for value in values or ():
        file = Path(value)
        if not file.is_file():
            old, equals, new = value.rpartition("=")
            if not (equals and old.strip() and new.strip()):
                problem = f"{value!r} is no file and not of the form old=new"
                raise typer.BadParameter(problem, param_hint="--map")
            categories[old.strip()] = new.strip()
        elif file.suffix.lower() == ".csv":
            categories |= _read_csv(file)
        elif mapping_file is not None:
            raise typer.BadParameter("name only one TOML or JSON file", param_hint="--map")
        else:
            mapping_file = file
            categories = {**read_mapping(file).values.get("category", {}), **categories}
    return LabelMaps(categories, mapping_file)


def _read_csv(file: Path) -> dict[str, str]:
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{file} cannot be read: {error}", param_hint="--map") from error
    delimiter = ";" if lines and lines[0].count(";") > lines[0].count(",") else ","
    categories = {}
    for number, cells in enumerate(csv.reader(lines, delimiter=delimiter), 1):
        names = [cell.strip() for cell in cells]
        if not any(names) or (number == 1 and [name.casefold() for name in names] == ["old", "new"]):
            continue
        if len(names) != 2 or not all(names):
            problem = f"{file}, line {number}: write two cells, the old label and the new category"
            raise typer.BadParameter(problem, param_hint="--map")
        categories[names[0]] = names[1]
    return categories


def desk_names(
    labels: Iterable[str], maps: LabelMaps, settings: Settings | None, categories: Collection[str]
) -> dict[str, str]:
    """The desk's category of each label, as far as it has one: mapped, spelt in another way, or by its own name.

    Raises BadParameter for a map to a category that the desk does not have.
    """
    from triage.csv.columns import label_key

    by_spelling = {label_key(name): own.key for own in _own(settings) for name in own.name.values()}
    by_spelling |= {label_key(category): category for category in categories}
    wrong = sorted({new for new in maps.categories.values() if label_key(new) not in by_spelling})
    if wrong:
        problem = f"this desk has no category {', '.join(wrong)}. It has: {', '.join(categories)}"
        raise typer.BadParameter(problem, param_hint="--map")
    mapped = {label_key(old): by_spelling[label_key(new)] for old, new in maps.categories.items()}
    by_key = {**by_spelling, **mapped}
    return {label: by_key[label_key(label)] for label in labels if label_key(label) in by_key}


def refuse_labels(labels: Iterable[str], settings: Settings | None, categories: Collection[str]) -> None:
    """Print labels that are no categories of the desk with both remedies, and end the command."""
    from amends.init import category_entries

    foreign = sorted(labels)
    own = {own.key for own in _own(settings)}
    language = settings.organisation.languages[0] if settings is not None else "en"
    options = " ".join(f"--map {shlex.quote(f'{label}=…')}" for label in foreign[:3])
    more = " …" if len(foreign) > 3 else ""
    err.print(
        f"Refused, nothing was changed: these labels are no categories of this desk: {', '.join(foreign)}.\n"
        f"Name a category of the desk for each: {options}{more}, or --map FILE.csv with old,new a line.\n"
        f"The desk has: {', '.join(categories)}.\n"
        "Or make them categories of the desk: paste this into amends.toml, then repeat the command.\n\n"
        f"{category_entries(foreign, taken={*categories, *own}, language=language)}",
        highlight=False,
        soft_wrap=True,
    )
    raise typer.Exit(NOT_WELL)


def _own(settings: Settings | None) -> Sequence[OwnCategory]:
    return settings.category if settings is not None else ()
