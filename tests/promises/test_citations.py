"""Documents that code and pages cite are in the repository, and links between pages lead somewhere."""

from __future__ import annotations

import ast
import io
import os
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SKIPPED = frozenset({"__pycache__", "build", "dist", "node_modules"})

_DOCUMENT = re.compile(r"(?<![\w/.*{}<-])((?:[\w.-]+/)*[\w-][\w.-]*\.md)\b")
_IN_DOCS = re.compile(r"(?<![\w/.-])(docs/[\w./-]+\.md)\b")
_DECISION = re.compile(r"docs/decisions/(\d{4})\b|\bdecisions? (\d{1,4})\b")
_SECTION = re.compile(r"(docs/[\w/-]+\.md), section (\d+)")
_RULES = re.compile(r"(docs/[\w/-]+\.md), rules? (\d+)(?: and (\d+))?")
_QUOTED = re.compile(r'(docs/[\w/-]+\.md),\s+"([^"]+)"')
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_MODULE = re.compile(
    r"`((?:amends|benchmarks|bots|complaints|reports|scheduler|simulator|store|tests|triage)/[\w/]+\.py)`"
)
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
_BOLD = re.compile(r"\*\*([^*]+?)[.:]?\*\*")
#: A comment that continues on the next line is one text.
_NEXT_LINE = re.compile(r"\s*\n\s*(?:#:?|--)?\s*")

#: Example names of files that a command writes or a user has; they are not in the repository.
EXAMPLES = re.compile(
    r"(?:.*\.card\.md"  # next to a trained model
    r"|(?:october|november|page|figures)\.md|.*/figures\.md|monitoring-\d{4}-\d\d-\d\d\.md"  # reports
    r"|texts/README\.md"  # written by `amends init`
    r"|telegram\.md)"  # a link of docs/settings.md, from amends/settings/sections.toml
)


def files(*endings: str) -> Iterator[Path]:
    """The repository's own files with these endings."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(name for name in folders if name not in SKIPPED and not name.startswith("."))
        folders[:] = [name for name in folders if not name.endswith(".egg-info")]
        yield from (Path(folder, name) for name in sorted(names) if name.endswith(endings))


def prose_of(source: str) -> str:
    """Return the comments and docstrings of Python source, without code and other strings."""
    strings = [
        node.value.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    ]
    comments = [
        token.string + "\n"
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    ]
    return "\n\n".join([*strings, "".join(comments)])


@cache
def texts() -> dict[Path, str]:
    """The prose of each file: comments and docstrings of Python files, all text of others."""
    collected: dict[Path, str] = {}
    for path in files(".py", ".md", ".toml", ".sql", ".po", ".mako"):
        source = path.read_text(encoding="utf-8")
        prose = prose_of(source) if path.suffix == ".py" else source
        collected[path] = _NEXT_LINE.sub(" ", prose)
    return collected


def is_there(name: str, citing: Path) -> bool:
    """Check for a document by its path from the root, or from the file that cites it."""
    return (ROOT / name).is_file() or (citing.parent / name).is_file()


def cited_documents(text: str) -> set[str]:
    """Every `*.md` path or bare name in a text, except examples."""
    return {name for name in _DOCUMENT.findall(text) if not EXAMPLES.fullmatch(name)}


def relative(path: Path) -> str:
    """The path from the root, as a failure prints it."""
    return path.relative_to(ROOT).as_posix()


def test_every_cited_document_is_in_the_repository() -> None:
    missing = sorted(
        f"{relative(path)}: {name}"
        for path, text in texts().items()
        for name in cited_documents(text)
        if not is_there(name, path)
    )
    assert not missing, "\n".join(missing)


def test_every_page_named_in_a_text_of_the_product_exists() -> None:
    """Messages and settings templates are strings and name pages by `docs/…`."""
    missing = sorted(
        f"{relative(path)}: {name}"
        for path in files(".py")
        for name in set(_IN_DOCS.findall(path.read_text(encoding="utf-8")))
        if path != Path(__file__) and not (ROOT / name).is_file()
    )
    assert not missing, "\n".join(missing)


def test_every_cited_decision_exists() -> None:
    numbers = {path.name[:4] for path in (ROOT / "docs" / "decisions").glob("*.md")}
    cited = {
        (relative(path), (first or second).zfill(4))
        for path, text in texts().items()
        if path != Path(__file__)
        for first, second in _DECISION.findall(text)
    }
    assert {citation for citation in cited if citation[1] not in numbers} == set()
    assert cited


def _plain(heading: str) -> str:
    return re.sub(r"[`*]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)).strip()


@cache
def headings(page: Path) -> tuple[str, ...]:
    """The headings of a page, in order, outside code."""
    return tuple(_plain(heading) for heading in _HEADING.findall(_without_code(page)))


def _without_code(page: Path) -> str:
    return re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


@cache
def places(page: Path) -> frozenset[str]:
    """What a citation in quotation marks may name: a heading, or a paragraph's first words in bold."""
    bold = _BOLD.findall(_without_code(page))
    return frozenset(_plain(name).lower() for name in (*headings(page), *bold))


@cache
def anchors(page: Path) -> frozenset[str]:
    """The anchors of a page's headings, as Git hosts make them."""
    counts: dict[str, int] = {}
    slugs = set()
    for heading in headings(page):
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        slugs.add(f"{slug}-{counts[slug]}" if slug in counts else slug)
        counts[slug] = counts.get(slug, 0) + 1
    return frozenset(slugs)


def test_every_cited_section_rule_and_heading_is_on_its_page() -> None:
    missing = set()
    for path, text in texts().items():
        if path == Path(__file__):
            continue
        for document, number in _SECTION.findall(text):
            if not any(heading.startswith(f"{number}. ") for heading in headings(ROOT / document)):
                missing.add(f"{relative(path)}: {document}, section {number}")
        for document, *numbers in _RULES.findall(text):
            for number in filter(None, numbers):
                if not any(heading.startswith(f"Rule {number}:") for heading in headings(ROOT / document)):
                    missing.add(f"{relative(path)}: {document}, rule {number}")
        for document, name in _QUOTED.findall(text):
            if name.lower() not in places(ROOT / document):
                missing.add(f'{relative(path)}: {document}, "{name}"')
    assert not missing, "\n".join(sorted(missing))


def pages() -> list[Path]:
    """Every Markdown page of the repository."""
    return list(files(".md"))


@pytest.mark.parametrize("page", pages(), ids=relative)
def test_every_link_of_a_page_leads_to_a_file_and_a_heading(page: Path) -> None:
    broken = []
    for target in _LINK.findall(_without_code(page)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        linked = (page.parent / name).resolve() if name else page
        if (
            not linked.exists()
            or not linked.is_relative_to(ROOT)
            or (anchor and anchor not in anchors(linked))
        ):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("page", pages(), ids=relative)
def test_every_module_that_a_page_names_exists(page: Path) -> None:
    named = _MODULE.findall(page.read_text(encoding="utf-8"))
    assert [path for path in named if not (ROOT / path).is_file()] == []


def test_a_citation_of_a_missing_document_is_detected() -> None:
    source = (
        '"""One rule (elsewhere.md, rule 1)."""\n#: A table\n#: of (nowhere/other.md).\nNAME = "report.md"\n'
    )
    assert cited_documents(_NEXT_LINE.sub(" ", prose_of(source))) == {"elsewhere.md", "nowhere/other.md"}
    assert not is_there("elsewhere.md", Path(__file__))
    assert is_there("docs/design.md", Path(__file__))
    assert not is_there("design.md", Path(__file__))
