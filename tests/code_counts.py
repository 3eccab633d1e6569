"""How readable the source is, counted over its syntax trees; tests/promises/words.toml has the word lists."""

from __future__ import annotations

import ast
import io
import re
import tokenize
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import grimp

from tests.source import ROOMS, ROOT, Module, assignments, modules

WORDS: dict[str, list[str]] = tomllib.loads(
    (Path(__file__).parent / "promises" / "words.toml").read_text(encoding="utf-8")
)
#: A module below this many lines that only one other module imports may be part of that one.
SMALL = 80

_OLD_FASHIONED = re.compile(
    rf"\b(?:{'|'.join(sorted(map(re.escape, WORDS['old_fashioned']), key=len, reverse=True))})\b",
    re.IGNORECASE,
)
_VAGUE = frozenset(WORDS["vague"])
_FORMS = tomllib.loads((ROOT / "complaints" / "forms.toml").read_text(encoding="utf-8"))
_FORM_NAMES = frozenset({*_FORMS["forms"], *_FORMS["incident"]["forms"]})
#: Forms have the names of verbs, and a table of targets or kinds elsewhere may have some of these words too.
_WITH_FORMS = ("bots/letters", "bots/slack", "complaints", "store")
_CITATION = re.compile(r"[\w./-]*\w\.md\b")


@dataclass(frozen=True)
class Place:
    """Something that was counted, and where."""

    module: Module
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.module.path}:{self.line}: {self.text}"


def by_room(places: list[Place]) -> dict[str, int]:
    """How many in each room, rooms without any included."""
    counts = Counter(place.module.room for place in places)
    return {room: counts[room] for room in ROOMS}


# Prose.


@cache
def prose(module: Module) -> tuple[tuple[int, str], ...]:
    """(first line, text) of every docstring and comment."""
    texts = []
    for node in module.nodes:
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = ast.get_docstring(node, clean=False)
            if docstring:
                texts.append((node.body[0].lineno, docstring))
    texts += [(line, comment.lstrip("#:").strip()) for line, comment in _comments(module)]
    return tuple(texts)


def _comments(module: Module) -> list[tuple[int, str]]:
    """(line, comment). Tokenizing takes twice as long as parsing, so only files with `#` in a string are."""
    hashes = [
        (number, line.encode().index(b"#"), line[line.index("#") :])
        for number, line in enumerate(module.text.splitlines(), 1)
        if "#" in line
    ]
    strings = [
        ((node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0))
        for node in module.nodes
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))
    ]
    if not any(start <= (number, column) < end for number, column, _ in hashes for start, end in strings):
        return [(number, comment) for number, _, comment in hashes]
    tokens = tokenize.generate_tokens(io.StringIO(module.text).readline)
    return [(token.start[0], token.string) for token in tokens if token.type == tokenize.COMMENT]


def words_of_prose() -> int:
    """How many words all docstrings and comments have, migrations left out."""
    return sum(len(text.split()) for module in modules(migrations=False) for _, text in prose(module))


@cache
def old_fashioned_words() -> list[Place]:
    """Every old-fashioned word in docstrings and comments."""
    return [
        Place(module, line + text.count("\n", 0, match.start()), match.group().lower())
        for module in modules(migrations=False)
        for line, text in prose(module)
        for match in _OLD_FASHIONED.finditer(text)
    ]


# Names.


@cache
def bindings() -> list[Place]:
    """Every bound name and every argument but `self`."""
    return list(_bindings())


def _bindings() -> Iterator[Place]:
    for module in modules(migrations=False):
        for node in module.nodes:
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield Place(module, node.lineno, node.id)
            elif isinstance(node, ast.arg) and node.arg != "self":
                yield Place(module, node.lineno, node.arg)


def vague_names() -> list[Place]:
    """Bindings that say nothing of what they hold."""
    return [place for place in bindings() if place.text in _VAGUE]


def duplicate_class_names() -> dict[str, list[str]]:
    """Public classes of one name in several files, with the files; a table's class may have the name of its value."""
    homes: dict[str, list[str]] = defaultdict(list)
    for module in modules(migrations=False):
        if not module.path.startswith("store/tables"):
            for node in module.nodes:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    homes[node.name].append(module.path)
    return {name: homes[name] for name in sorted(homes) if len(set(homes[name])) > 1}


# Documents.


def missing_documents() -> list[Place]:
    """Citations, in docstrings and comments, of documents that are not in the repository."""
    return [
        Place(module, line, cited)
        for module in modules()
        for line, text in prose(module)
        for cited in _CITATION.findall(text)
        if not _is_there(cited)
    ]


@cache
def _is_there(cited: str) -> bool:
    if "/" in cited:
        return (ROOT / cited).is_file()
    return (ROOT / cited).is_file() or any((ROOT / "docs").rglob(cited))


# Modules and folders.


def files_per_folder() -> dict[str, int]:
    """How many Python files each folder of the product holds, the fullest first."""
    return dict(Counter(module.folder for module in modules()).most_common())


def doubled_module_names() -> dict[str, list[str]]:
    """File names that occur in several folders, with the files; a search for one of them finds the others, too."""
    homes: dict[str, list[str]] = defaultdict(list)
    for module in modules(migrations=False):
        name = module.path.rpartition("/")[2]
        if not name.startswith("__"):
            homes[name].append(module.path)
    return {name: homes[name] for name in sorted(homes) if len(homes[name]) > 1}


def line_count(module: Module) -> int:
    """How long the file is."""
    return len(module.text.splitlines())


def small_single_use_modules() -> list[Module]:
    """Modules below 80 lines that exactly one other module imports."""
    graph = _imports()
    return [
        module
        for module in modules()
        if line_count(module) < SMALL
        and module.name in graph.modules
        and len(graph.find_modules_that_directly_import(module.name)) == 1
    ]


@cache
def _imports() -> grimp.ImportGraph:
    return grimp.build_graph(*ROOMS, cache_dir=None)


def import_cycles() -> list[str]:
    """Every group of files that import each other, directly or through others, as `a, b`."""
    graph = _imports()
    remaining = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    # What imports nothing of the rest, or is imported by nothing of it, is in no cycle.
    while leaves := {name for name, imported in remaining.items() if not imported & remaining.keys()}:
        remaining = {name: remaining[name] for name in remaining.keys() - leaves}
    while roots := remaining.keys() - set().union(*remaining.values()):
        remaining = {name: remaining[name] for name in remaining.keys() - roots}
    cycles = {
        ", ".join(sorted(other for other in remaining if _reaches(remaining, name, other, back=True)))
        for name in remaining
    }
    return sorted(cycle for cycle in cycles if cycle)


def _reaches(graph: dict[str, set[str]], start: str, goal: str, *, back: bool) -> bool:
    """Is there a way from start to goal, and one back?"""
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        following = graph.get(waiting.pop(), set()) - reached
        reached |= following
        waiting += following
    return goal in reached and (not back or _reaches(graph, goal, start, back=False))


def verb_sets() -> list[Place]:
    """Every table of verbs at module level but the rows themselves, and every comparison with a verb."""
    return [place for module in modules(migrations=False) for place in _verb_sets(module)]


def _verb_sets(module: Module) -> Iterator[Place]:
    for name, value in assignments(module.tree.body):
        displays = (
            node for node in ast.walk(value) if isinstance(node, ast.Set | ast.Tuple | ast.List | ast.Dict)
        )
        if any(map(_names_verb, displays)) and not _makes_rows(value):
            yield Place(module, value.lineno, f"table {name}")
    for node in module.nodes:
        pattern = node.pattern if isinstance(node, ast.match_case) else node
        if isinstance(node, ast.Compare | ast.match_case) and _names_verb(pattern):
            yield Place(module, getattr(pattern, "lineno", 0), ast.unparse(pattern))


def _names_verb(node: ast.AST) -> bool:
    return any(
        isinstance(part, ast.Attribute)
        and isinstance(part.value, ast.Name)
        and part.value.id == "Verb"
        and part.attr.isupper()
        for part in ast.walk(node)
    )


def _makes_rows(value: ast.expr) -> bool:
    calls = (node.func for node in ast.walk(value) if isinstance(node, ast.Call))
    return any(isinstance(made, ast.Name) and made.id == "Action" for made in calls)


def form_sets() -> list[Place]:
    """Every table of forms at module level outside forms.toml, and every comparison of a form with a name."""
    return [place for module in modules(migrations=False) for place in _form_sets(module)]


def _form_sets(module: Module) -> Iterator[Place]:
    if module.path.startswith(_WITH_FORMS):
        for name, value in assignments(module.tree.body):
            displays = (
                node
                for node in ast.walk(value)
                if isinstance(node, ast.Set | ast.Tuple | ast.List | ast.Dict)
            )
            if not _makes_rows(value) and any(len(_named_forms(node)) > 1 for node in displays):
                yield Place(module, value.lineno, f"table {name}")
    for node in module.nodes:
        if isinstance(node, ast.Compare) and _is_form(node) and _named_forms(node):
            yield Place(module, node.lineno, ast.unparse(node))
        elif isinstance(node, ast.Match) and _is_form(node.subject):
            for case in node.cases:
                if _named_forms(case.pattern):
                    yield Place(module, case.pattern.lineno, ast.unparse(case.pattern))


def _named_forms(node: ast.AST) -> set[str]:
    """The forms of forms.toml that are named in it; a condition inside a table is no part of the table."""
    return {
        part.value
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value in _FORM_NAMES
    }


def _is_form(node: ast.AST) -> bool:
    """Does it name a variable `form` or an attribute `.form`?"""
    return any(
        (isinstance(part, ast.Name) and part.id == "form")
        or (isinstance(part, ast.Attribute) and part.attr == "form")
        for part in ast.walk(node)
    )


def modules_with(verb: str) -> list[Module]:
    """Modules that spell out one verb of the record, such as ACKNOWLEDGE."""
    return [module for module in modules(migrations=False) if re.search(rf"\b{verb}\b", module.text)]
