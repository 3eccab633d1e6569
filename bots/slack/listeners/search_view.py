"""The search for complaints: by reference, a person's number or words, with filters; from the home or a command."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from bots.slack.client.block_kit import Block, button, context, escaped, mention, option, plain, section
from bots.slack.context import SlackContext
from bots.slack.payloads import ButtonPress, FormSubmission, SlashCommand
from bots.slack.responses import CommandReply, OpenView, Response, field_errors, update_view
from bots.slack.router import Router
from bots.slack.staff_texts import StaffTexts
from bots.slack.views.form_inputs import VALUE, values_of
from bots.slack.views.form_modals import NOTICE, View, metadata, modal
from bots.slack.views.home import case_row
from complaints.actions.authorisation import Access, authorise
from complaints.actors import Actor
from complaints.case import Case
from complaints.identifiers import parse_reference
from complaints.rulebook import categories_of
from complaints.times import MINUTES_A_DAY, at_minute, local_time
from complaints.vocabulary import Priority, State
from store.cases.read import load_case
from store.record.worklists import is_visible, list_by_code
from store.rulebooks import load_current_rulebook, load_current_rulebooks
from store.similarity.search import LOOKED_THROUGH, CaseSearch, search_cases
from triage.search_words import search_words

CALLBACK = "search"
#: Characters of a search, and rows of its answer.
LONGEST, MAX_ROWS = 200, 15
router = Router()
#: The columns that are searched by a code: the prefix of the codes' names in the texts, and the codes.
_CODES = (
    ("priority", "", tuple(priority.value for priority in Priority)),
    ("state", "state.", tuple(state.value for state in State)),
)


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
        cases, notes = await _find(query, CaseSearch(), slack, actor)
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
    text, category, owner, since, until = (
        str(values.get(name) or "").strip() for name in ("text", "category", "owner", "since", "until")
    )
    if not (text or category or owner or since or until):
        return field_errors({"text": slack.texts.text("search.empty")})
    zone = (await slack.store.aread(load_current_rulebook)).calendar.zone
    filters = CaseSearch(
        category=category or None,
        owner=owner or None,
        since=at_minute(date.fromisoformat(since), 0, zone) if since else None,
        before=at_minute(date.fromisoformat(until), MINUTES_A_DAY, zone) if until else None,
    )
    cases, notes = await _find(text, filters, slack, actor)
    blocks = result_blocks(cases, notes, slack.texts, slack.store.now())
    return update_view(modal(slack.texts, NOTICE, metadata("", 0), blocks, title="search.title"))


def search_form(categories: Sequence[str], texts: StaffTexts) -> View:
    elements: dict[str, Block] = {
        "search.text": {"type": "plain_text_input", "max_length": LONGEST},
        "search.category": {
            "type": "static_select",
            "options": [option(code, texts.text(f"category.{code}")) for code in categories],
        },
        "search.since": {"type": "datepicker"},
        "search.until": {"type": "datepicker"},
        "search.owner": {"type": "users_select"},
    }
    inputs: list[Block] = [
        {
            "type": "input",
            "block_id": label.partition(".")[2],
            "label": plain(texts.text(label)),
            "element": {**element, "action_id": VALUE},
            "optional": True,
        }
        for label, element in elements.items()
    ]
    blocks = [*inputs, context(texts.text("search.hint"))]
    return modal(texts, CALLBACK, metadata("", 0), blocks, title="search.form", submit="search.button")


def result_blocks(
    cases: Sequence[Case], notes: Sequence[str], texts: StaffTexts, now: datetime
) -> list[Block]:
    """A row with the button *Open* for each complaint, and what was searched; no word of a complaint."""
    rows = [
        section(
            case_row(case, texts, now),
            block_id=f"actions:{case.work_version}.{number}",
            accessory=button(texts.text("verb.open"), "case.open", case.ref),
        )
        for number, case in enumerate(cases)
    ]
    return [*rows, *([context(*notes)] if notes else [])]


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


async def _find(
    text: str, filters: CaseSearch, slack: SlackContext, actor: Actor
) -> tuple[Sequence[Case], list[str]]:
    """The complaints, and what was searched, in words for the person who searches."""
    texts, store, what = slack.texts, slack.store, []
    ref = parse_reference(text) if text else None
    if ref is not None and await store.aread(is_visible, ref, actor):
        # A reference names one complaint, so no filter counts. Without a hit it may be a number that looks like one.
        return (await store.aread(load_case, ref),), [texts.text("search.for", what=_quoted(text))]
    rulebooks = await store.aread(load_current_rulebooks)
    words = () if ref is not None else search_words(text, rulebooks.languages)
    query = replace(filters, words=[word.hashes for word in words], number=text)
    result = await store.awrite(search_cases, query, actor, limit=MAX_ROWS)
    if words:
        both = _quoted(text), _quoted(" ".join(word.text for word in words))
        what.append(texts.text("search.number_or_words", number=both[0], words=both[1]))
    elif text:
        what.append(_quoted(text))
    if query.category:
        what.append(texts.text(f"category.{query.category}"))
    zone = rulebooks.own.calendar.zone
    if query.since:
        what.append(texts.text("search.from_day", day=texts.day(local_time(query.since, zone).date())))
    if query.before:
        last_day = local_time(query.before - timedelta(minutes=1), zone).date()
        what.append(texts.text("search.to_day", day=texts.day(last_day)))
    if query.owner:
        what.append(mention(query.owner))
    notes = [texts.text("search.for" if result.cases else "search.nothing", what=", ".join(what))]
    notes += [texts.text("search.more")] if result.more else []
    notes += [texts.text("search.cut", number=LOOKED_THROUGH)] if result.cut else []
    return result.cases, [*notes, *([texts.text("search.recorded")] if text else [])]


def _quoted(text: str) -> str:
    return f"“{escaped(' '.join(text.split()), LONGEST)}”"
