"""The measures of readability with their goals: `make measures`, or `python -m tests.code_measures`.

--slow      also counts the files that take part in a first message and in a story (about a minute)
--timing    also compares short commands with the imports that they cannot do without
--list WHAT prints each place that is counted: old-fashioned, vague, classes, documents, verbs, forms,
            modules, names
--tighten   lowers the bounds of tests/promises/bounds.json to today's counts; it never raises one
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import code_counts as counts
from tests.source import modules

BOUNDS = Path(__file__).parent / "promises" / "bounds.json"
#: No folder may hold more Python files than this, unless the bounds say so.
FOLDER_LIMIT = 20
_VERBS = ("ACKNOWLEDGE", "EXTEND")


@dataclass(frozen=True)
class Measure:
    """One row of the table."""

    what: str
    now: str
    goal: str
    is_met: bool


def measures() -> Iterator[Measure]:
    """Every measure that needs no run."""
    share = 1000 * len(counts.old_fashioned_words()) / counts.words_of_prose()
    what = "old-fashioned words per 1,000 words of docstrings and comments"
    yield Measure(what, f"{share:.1f}", "<= 1", share <= 1)

    percent = 100 * len(counts.vague_names()) / len(counts.bindings())
    yield Measure("vague names, share of all bindings", f"{percent:.1f} %", "<= 0.1 %", percent <= 0.1)

    classes = len(counts.duplicate_class_names())
    yield Measure("public class names defined in more than one place", str(classes), "0", classes == 0)

    missing = counts.missing_documents()
    shown = f"{len(missing)} in {len({place.module.path for place in missing})} modules"
    yield Measure("citations of documents not in the repository", shown, "0", not missing)

    number = len(modules())
    yield Measure("modules", str(number), "about 400", number <= 440)
    lines = statistics.median(map(counts.line_count, modules()))
    yield Measure("median lines of a module", f"{lines:.0f}", "about 150", 130 <= lines <= 180)
    small = len(counts.small_single_use_modules())
    what = f"modules below {counts.SMALL} lines imported by exactly one other"
    yield Measure(what, str(small), "<= 8", small <= 8)
    doubled = len(counts.doubled_module_names())
    yield Measure("module names that occur twice or more", str(doubled), "<= 20", doubled <= 20)

    folders = counts.files_per_folder()
    full = {folder: files for folder, files in folders.items() if files > FOLDER_LIMIT}
    shown = (
        ", ".join(f"{folder} {files}" for folder, files in full.items()) or f"at most {max(folders.values())}"
    )
    yield Measure("files in one folder", shown, f"about 15, never over {FOLDER_LIMIT}", not full)

    spelled = {verb: counts.modules_with(verb) for verb in _VERBS}
    rules = max(sum(module.room == "complaints" for module in files) for files in spelled.values())
    shown = ", ".join(f"{verb} {len(files)}" for verb, files in spelled.items())
    goal = "in complaints/ <= 5: vocabulary, registry, its two functions, form, obligations of its event"
    yield Measure("files that spell out one verb", f"{shown}; in complaints/ {rules}", goal, rules <= 5)

    spelled_out = len(counts.verb_sets())
    what = "tables and comparisons of verbs outside their rows"
    yield Measure(what, str(spelled_out), "<= 20, each about one verb", spelled_out <= 20)

    spelled_out = len(counts.form_sets())
    what = "tables and comparisons of forms outside forms.toml"
    yield Measure(what, str(spelled_out), "<= 10", spelled_out <= 10)


def slow_measures() -> Iterator[Measure]:
    """How many product files take part; their number varies by one or two between runs."""
    from tests.code_runs import files_of_first_message, files_of_story

    first, story = len(files_of_first_message()), len(files_of_story())
    yield Measure("product files in a first Telegram message", str(first), "<= 70", first <= 70)
    yield Measure("product files in resolved_the_same_day.story", str(story), "<= 150", story <= 150)


def timing_measures() -> Iterator[Measure]:
    """Processor time of short commands, compared with imports measured beside them."""
    from tests.code_runs import command_seconds

    seconds = command_seconds()
    for command, floor, limit in (
        ("amends --help", "typer, rich", 3.0),
        ("amends case list", "sqlmodel", 1.5),
        ("amends case show", "sqlmodel", 1.5),
    ):
        ratio = seconds[command] / seconds[floor]
        shown = f"{ratio:.1f} ({seconds[command]:.2f} s)"
        yield Measure(f"{command}: times `import {floor}`", shown, f"<= {limit:g}", ratio <= limit)


def as_table(rows: Iterable[Measure]) -> str:
    """The measures as a Markdown table."""
    lines = ["| what | now | goal | met |", "|---|---|---|---|"]
    lines += [f"| {row.what} | {row.now} | {row.goal} | {'yes' if row.is_met else 'no'} |" for row in rows]
    return "\n".join(lines)


# Bounds that may not get worse.


def current_bounds() -> dict[str, Any]:
    """Today's counts, in the shape of the file of bounds."""
    return {
        "old-fashioned words": counts.by_room(counts.old_fashioned_words()),
        "vague names": counts.by_room(counts.vague_names()),
        "citations of missing documents": counts.by_room(counts.missing_documents()),
        "tables and comparisons of verbs": counts.by_room(counts.verb_sets()),
        "tables and comparisons of forms": counts.by_room(counts.form_sets()),
        "duplicate class names": list(counts.duplicate_class_names()),
        "doubled module names": list(counts.doubled_module_names()),
        "import cycles": counts.import_cycles(),
        "files per folder": {
            folder: files
            for folder, files in sorted(counts.files_per_folder().items())
            if files > FOLDER_LIMIT
        },
    }


def kept_bounds() -> dict[str, Any]:
    """The bounds of the file."""
    return dict(json.loads(BOUNDS.read_text(encoding="utf-8")))


def excesses(bounds: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """A line for every count above its bound."""
    lines = []
    for what, limits in bounds.items():
        if isinstance(limits, list):
            lines += [f"{what}: {name} is new" for name in now[what] if name not in limits]
        else:
            default = FOLDER_LIMIT if what == "files per folder" else 0
            lines += [
                f"{what}: {where} has {count}, at most {limits.get(where, default)} allowed"
                for where, count in now[what].items()
                if count > limits.get(where, default)
            ]
    return lines


def tightened(bounds: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """The lower of each bound and today's count; what is gone is dropped."""
    return {
        what: [name for name in limits if name in now[what]]
        if isinstance(limits, list)
        else {where: min(limit, now[what][where]) for where, limit in limits.items() if where in now[what]}
        for what, limits in bounds.items()
    }


def written(bounds: Mapping[str, Any]) -> str:
    """The file of bounds."""
    return json.dumps(bounds, indent=1) + "\n"


_LISTS: Mapping[str, Callable[[], Iterable[object]]] = {
    "old-fashioned": counts.old_fashioned_words,
    "vague": counts.vague_names,
    "classes": lambda: (
        f"{name}: {', '.join(paths)}" for name, paths in counts.duplicate_class_names().items()
    ),
    "documents": counts.missing_documents,
    "verbs": counts.verb_sets,
    "forms": counts.form_sets,
    "modules": lambda: (module.path for module in counts.small_single_use_modules()),
    "names": lambda: (f"{name}: {', '.join(paths)}" for name, paths in counts.doubled_module_names().items()),
}


def main() -> None:
    """Print the table or a list, or tighten the bounds; never fails because a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.code_measures")
    parser.add_argument("--slow", action="store_true")
    parser.add_argument("--timing", action="store_true")
    parser.add_argument("--list", choices=_LISTS, dest="listed")
    parser.add_argument("--tighten", action="store_true")
    arguments = parser.parse_args()
    if arguments.listed:
        sys.stdout.writelines(f"{line}\n" for line in _LISTS[arguments.listed]())
        return
    if arguments.tighten:
        bounds = kept_bounds() if BOUNDS.exists() else current_bounds()
        BOUNDS.write_text(written(tightened(bounds, current_bounds())), encoding="utf-8")
    rows = [*measures()]
    if arguments.slow:
        rows += slow_measures()
    if arguments.timing:
        rows += timing_measures()
    sys.stdout.write(as_table(rows) + "\n")


if __name__ == "__main__":
    main()
