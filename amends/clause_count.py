"""The count as the surfaces ask for it: the record, the rules, the texts and the roles put together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from amends.settings import Settings, rulebook
from bots.texts.loading import load as load_texts
from reports.clauses.count import ClauseCount, Count, Shown, count, shown
from reports.clauses.evidence import House, RolePeriod
from reports.clauses.queries.principles import NOTICES
from reports.integrity import Proof
from store.cases.pages import list_role_periods, load_case_history
from store.custody.verify import verify
from store.store import Store


def counted(store: Store, settings: Settings, *, proof: bool = True) -> Count:
    """Every clause with today's evidence; without `proof` the chain is not checked (it reads all of it)."""
    return count(store.whole_record(), house(store, settings, proof=proof))


def one_case(store: Store, settings: Settings, ref: str) -> list[Shown]:
    """What one complaint shows of each clause; UnknownReference where there is none."""
    return list(shown(store.read(load_case_history, ref), house(store, settings, proof=False)))


def house(store: Store, settings: Settings, *, proof: bool) -> House:
    """The organisation as it stands now."""
    rules = rulebook(settings)
    texts = load_texts(rules.languages, settings.texts_folder)
    spoken = [(language, id_) for language in rules.languages for id_ in NOTICES if texts.has(id_)]
    checked = store.read(verify) if proof else None
    return House(
        now=store.now(),
        rules=rules,
        periods=tuple(RolePeriod(*one) for one in store.read(list_role_periods)),
        texts={
            language: {id_: texts.raw(code, id_) for code, id_ in spoken if code == language}
            for language in rules.languages
        },
        versions={
            (language, id_): version
            for language, id_ in spoken
            if (version := texts.version(language, id_)) is not None
        },
        settings=frozenset(_names(settings.model_dump())),
        proof=None if checked is None else Proof(checked.entries, checked.first_bad),
    )


def summary(found: Count, *, refs: bool = True) -> list[tuple[str, str, str, str]]:
    """(clause, title, verdict, evidence in a line); without `refs` where not everybody may know of a complaint."""
    return [
        (one.clause.id, one.clause.title, one.standing.value, line(one, refs=refs)) for one in found.clauses
    ]


def lines(store: Store, settings: Settings) -> list[str]:
    """The count for Slack, a line a clause and no reference; the chain is left to `amends clauses`."""
    found = summary(counted(store, settings, proof=False), refs=False)
    return [
        f"{number} {title}: {stands}" + (f" ({said})" if said else "")
        for number, title, stands, said in found
    ]


def line(one: ClauseCount, *, refs: bool = True) -> str:
    """The evidence of one clause in a line."""
    evidence = one.evidence
    if evidence.violated:
        first = evidence.violations[0]
        more = f" and {evidence.violated - 1} more" if evidence.violated > 1 else ""
        where = first.ref or "settings" if refs or first.ref is None else "a complaint"
        return f"{where}: {first.what}{more}"
    if evidence.missed:
        return "; ".join(f"too seldom: {figure.what}" for figure in evidence.missed)
    if one.clause.of:
        return f"sums up {', '.join(one.clause.of)}"
    shares = [
        f"{figure.what} {figure.share.hits} of {figure.share.of}"
        for figure in evidence.figures
        if figure.share is not None
    ]
    times = [f"{figure.what} {figure.p50:g}" for figure in evidence.figures if figure.p50 is not None]
    counts = [f"{figure.what} {figure.n}" for figure in evidence.figures]
    shown_ = "; ".join((times + shares or counts)[:3])
    if one.clause.lacks is not None:
        return f"lacks {one.clause.lacks}" + (f" (so far: {shown_})" if shown_ else "")
    return shown_


def _names(settings: Mapping[str, Any]) -> Iterator[str]:
    """Every key of the settings, however deep."""
    for name, value in settings.items():
        yield str(name)
        for one in value if isinstance(value, list | tuple) else (value,):
            if isinstance(one, Mapping):
                yield from _names(one)
