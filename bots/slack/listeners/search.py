"""The search for complaints: by reference, a person's number or words, with filters; from the home or a command."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from bots.slack.client.block_kit import mention
from bots.slack.context import SlackContext
from bots.slack.payloads import ButtonPress, FormSubmission, SlashCommand
from bots.slack.responses import CommandReply, OpenView, Response, field_errors, update_view
from bots.slack.router import Router
from bots.slack.texts import StaffTexts
from bots.slack.views.form_inputs import values_of
from bots.slack.views.forms import metadata, modal
from bots.slack.views.home import case_row
from bots.slack.views.search import CALLBACK, LONGEST, quoted, result_blocks, search_form
from complaints.actions.authorisation import Access, authorise
from complaints.actors import Actor
from complaints.case import Case
from complaints.identifiers import parse_reference
from complaints.rulebook import categories_of
from complaints.times import at_minute
from complaints.vocabulary import Priority, State
from store.cases.read import load_case
from store.record.worklists import is_visible, list_by_code
from store.rulebooks import load_current_rulebook, load_current_rulebooks
from store.similarity.search import LOOKED_THROUGH, CaseSearch, SearchResult, search_cases
from triage.words import search_words

MAX_ROWS = 15
router = Router()
#: The columns that are searched by a code: the prefix of the codes' names in the texts, and the codes.
_CODES = (
    ("priority", "", tuple(priority.value for priority in Priority)),
    ("state", "state.", tuple(state.value for state in State)),
)


@dataclass(frozen=True)
class SearchForm:
    """What a person filled in; `until` is the last day."""

    text: str = ""
    category: str | None = None
    since: date | None = None
    until: date | None = None
    owner: str | None = None


@router.command("search")
async def search(command: SlashCommand, actor: Actor, slack: SlackContext) -> Response:
    """Find complaints by reference, code, a person's exact number, or words; a search for the last two is recorded.

    What a person may not know of is not found, as if it did not exist.
    """
    texts, query = slack.texts, command.rest[:LONGEST]
    if not query:
        return CommandReply(texts.text("search.what"))
    rules = await slack.store.aread(load_current_rulebook)
    code = code_of(query, texts, categories_of(rules))
    if code is None:
        cases, notes = await _find(SearchForm(query), slack, actor)
    else:
        page = await slack.store.aread(list_by_code, *code, actor, limit=MAX_ROWS)
        cases, notes = page.cases, [texts.text("command.more")] if page.more else []
        notes = notes if cases else [texts.text("command.none")]
    now = slack.store.now()
    lines = [f"*{texts.text('search.title')}*", *(case_row(case, texts, now) for case in cases), *notes]
    return CommandReply("\n".join(lines), result_blocks(cases, notes, texts, now))


@router.action("home.search")
async def open_search(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    authorise(None, Access.KNOW, actor)
    rules = await slack.store.aread(load_current_rulebook)
    return OpenView(search_form(categories_of(rules), slack.texts))


@router.view(CALLBACK)
async def show_results(submission: FormSubmission, actor: Actor, slack: SlackContext) -> Response:
    values = values_of(submission.view["state"]["values"])
    since, until = (
        date.fromisoformat(str(day)) if day else None for day in map(values.get, ("since", "until"))
    )
    category, owner = (str(value) if value else None for value in map(values.get, ("category", "owner")))
    form = SearchForm(str(values.get("text") or "").strip(), category, since, until, owner)
    if form == SearchForm():
        return field_errors({"text": slack.texts.text("search.empty")})
    cases, notes = await _find(form, slack, actor)
    blocks = result_blocks(cases, notes, slack.texts, slack.store.now())
    return update_view(modal(slack.texts, "notice", metadata("", 0), blocks, title="search.title"))


def code_of(query: str, texts: StaffTexts, categories: Sequence[str]) -> tuple[str, str] | None:
    """The column and the code that a code or its name means, in the staff's language or as it is stored."""
    name = query.strip().casefold()
    for column, prefix, values in (*_CODES, ("category", "category.", categories)):
        for value in values:
            names = {value.casefold(), value.replace("_", " ")}
            if prefix:
                names.add(texts.text(f"{prefix}{value}").casefold())
            if name in names:
                return column, value
    return None


async def _find(form: SearchForm, slack: SlackContext, actor: Actor) -> tuple[Sequence[Case], list[str]]:
    """The complaints, and what was searched, in words for the person who searches."""
    texts, store, text = slack.texts, slack.store, form.text
    ref = parse_reference(text) if text else None
    if ref is not None and await store.aread(is_visible, ref, actor):
        # A reference names one complaint, whatever the filters. Without a hit it may be a number that looks like one.
        return (await store.aread(load_case, ref),), [texts.text("search.for", what=quoted(text))]
    rulebooks = await store.aread(load_current_rulebooks)
    zone = rulebooks.own.calendar.zone
    words = () if ref is not None else search_words(text, rulebooks.languages)
    query = CaseSearch(
        [word.hashes for word in words],
        text,
        form.category,
        form.owner,
        None if form.since is None else at_minute(form.since, 0, zone),
        None if form.until is None else at_minute(form.until + timedelta(days=1), 0, zone),
    )
    result = await store.awrite(search_cases, query, actor, limit=MAX_ROWS)
    what = ", ".join(_what(form, text, " ".join(word.text for word in words), texts))
    return result.cases, _notes(result, what, recorded=bool(text), texts=texts)


def _what(form: SearchForm, text: str, words: str, texts: StaffTexts) -> list[str]:
    parts = []
    if text:
        number = quoted(text)
        parts.append(
            texts.text("search.number_or_words", number=number, words=quoted(words)) if words else number
        )
    if form.category:
        parts.append(texts.text(f"category.{form.category}"))
    if form.since:
        parts.append(texts.text("search.from_day", day=texts.day(form.since)))
    if form.until:
        parts.append(texts.text("search.to_day", day=texts.day(form.until)))
    if form.owner:
        parts.append(mention(form.owner))
    return parts


def _notes(result: SearchResult, what: str, *, recorded: bool, texts: StaffTexts) -> list[str]:
    notes = [texts.text("search.for" if result.cases else "search.nothing", what=what)]
    if result.more:
        notes.append(texts.text("search.more"))
    if result.cut:
        notes.append(texts.text("search.cut", number=LOOKED_THROUGH))
    if recorded:
        notes.append(texts.text("search.recorded"))
    return notes
