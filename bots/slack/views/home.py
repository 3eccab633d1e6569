"""Lists of complaints: the app's home with the next act of each as a button, and rows as text."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from bots.slack.client.block_kit import (
    MODAL_BLOCKS,
    Block,
    actions,
    button,
    context,
    divider,
    escaped,
    header,
    section,
)
from bots.slack.client.refused_blocks import bar_chart
from bots.slack.context import SlackContext
from bots.slack.staff_texts import StaffTexts
from bots.slack.views.actions import due_served, waiting_form
from bots.slack.views.card import owner_text
from bots.slack.views.form_modals import View
from bots.slack.views.open_form import is_open_to, next_act
from bots.slack.views.register_entries import home_blocks
from complaints.actions.authorisation import Access, is_allowed
from complaints.actors import Actor
from complaints.case import Case
from complaints.priorities import priority_of
from complaints.times import MINUTES_A_DAY, at_minute, local_time
from store.outbox.deliveries import list_failed_obligations
from store.record.worklists import MOST_COUNTED, Worklist, WorklistSection, count_open, load_worklist
from store.registers import count_entries, list_due_entries, list_unattested, list_waiting_entries
from store.rulebooks import load_current_rulebook
from store.values import FailedObligation

#: The lists: own complaints, those without an owner, overdue ones, and those that wait for a second person.
SECTIONS: tuple[WorklistSection, ...] = (
    WorklistSection.MINE,
    WorklistSection.UNASSIGNED,
    WorklistSection.OVERDUE,
    WorklistSection.WAITING,
    WorklistSection.UNCHECKED,
    WorklistSection.SURVEY,
    WorklistSection.DEPUTY,
    WorklistSection.LIMITED,
)
#: Shown only where it has complaints.
_SHORT = frozenset(
    {
        WorklistSection.WAITING, WorklistSection.UNCHECKED, WorklistSection.SURVEY, WorklistSection.DEPUTY,
        WorklistSection.LIMITED,
    }
)  # fmt: skip
#: Rows of each list on the first page: eight lists with their headings stay below 100 blocks, at two blocks a row.
ROWS_OF_EACH = 4
#: Rows of what failed, for managers.
FAILED_ROWS = 3
#: Rows of a page of a single list.
ROWS_OF_ONE = 40
#: The act of a list that is about one act, whose due time its rows show; other lists offer what meets the next one.
_ACTS: Mapping[WorklistSection, str] = {
    WorklistSection.UNCHECKED: "verify",
    WorklistSection.SURVEY: "open",
    WorklistSection.LIMITED: "review_limit",
}


async def home_view(
    slack: SlackContext, member_id: str, *, only: WorklistSection | None = None, offset: int = 0
) -> View:
    """The home of one person: all lists, or a single list from this row on."""
    actor = await slack.actor(member_id)
    texts, now = slack.texts, slack.store.now()
    if not is_allowed(None, Access.KNOW, actor):
        blocks = [section(texts.text("home.no_role"))]
    elif only is None:
        pages = {part: await _page(slack, part, actor, 0, ROWS_OF_EACH) for part in SECTIONS}
        figures = [*await _figures(slack, actor), *await _registers(slack, actor)]
        blocks = _all_lists(pages, figures, actor, texts, now) + await _failed_blocks(slack, actor)
    else:
        page = await _page(slack, only, actor, offset, ROWS_OF_ONE)
        blocks = _one_list(only, page, actor, texts, now)
    return {"type": "home", "blocks": blocks[:MODAL_BLOCKS]}


def case_row(case: Case, texts: StaffTexts, now: datetime, *, act: str = "") -> str:
    """`A7K-M3Q-9T · Assessed · P2 · @alice · decision by Wed 4 Nov, 17:30`, the time that `act` meets or the next."""
    return texts.text("list.row", **case_cells(case, texts, now, act=act))


def case_cells(case: Case, texts: StaffTexts, now: datetime, *, act: str = "") -> dict[str, str]:
    """The parts of a row: `ref`, `state`, `priority`, `owner` and `due`."""
    target = due_served(case, act)
    return {
        "ref": case.ref,
        "state": texts.text(f"state.{case.state.value}"),
        "priority": priority_of(case).value,
        "owner": owner_text(case, texts),
        "due": texts.target_due(target, case, now) if target else texts.text("list.no_due"),
    }


def list_heading(part: WorklistSection, count: int, texts: StaffTexts) -> str:
    """The name of a list with the number of its complaints; a plus if there are more than are counted."""
    number = f"{count}+" if count >= MOST_COUNTED else str(count)
    return f"{texts.text(f'home.{part.value}')} ({number})"


def failed_line(failed: FailedObligation, texts: StaffTexts, zone: str) -> str:
    """`A7K-M3Q-9T · Acknowledgement · since Wed 4 Nov, 10:02 · number 12`."""
    what = texts.text(f"delivery.{failed.kind}") if failed.is_notice else escaped(failed.kind, 60)
    when = texts.moment(failed.at, zone)
    return texts.text("stuck.row", ref=failed.ref or "–", what=what, when=when, number=failed.number)


async def _page(
    slack: SlackContext, part: WorklistSection, actor: Actor, offset: int, limit: int
) -> Worklist:
    return await slack.store.aread(load_worklist, part, actor, offset=offset, limit=limit)


def _all_lists(
    pages: Mapping[WorklistSection, Worklist],
    figures: list[Block],
    actor: Actor,
    texts: StaffTexts,
    now: datetime,
) -> list[Block]:
    """The figures, and all lists with a few rows of each; a button leads to a list alone."""
    blocks: list[Block] = [header(texts.text("home.title"))]
    row = [button(texts.text("home.search"), "home.search", "search")]
    if is_allowed(None, Access.HAND_OVER, actor):
        row.append(button(texts.text("home.move"), "home.move", "move"))
    if is_allowed(None, Access.TEMPLATES, actor):
        row.append(button(texts.text("template.title"), "home.templates", "templates"))
    row.append(button(texts.text("absence.title"), "home.absence", "absence"))
    if is_allowed(None, Access.MANAGE, actor):
        row.append(button(texts.text("closure.title"), "home.closure", "closure"))
    blocks += [actions("home", row), *figures]
    rows = 0
    for part, page in pages.items():
        if not page.count and part in _SHORT:
            continue
        blocks += [divider(), section(f"*{list_heading(part, page.count, texts)}*")]
        blocks += _rows(part, page, actor, texts, now, rows)
        rows += len(page.cases)
        if page.more:
            more = _page_button(texts, "home.more", part.value, 0, page.more)
            blocks.append(actions(f"more.{part.value}", [more]))
    return blocks


def _one_list(
    part: WorklistSection, page: Worklist, actor: Actor, texts: StaffTexts, now: datetime
) -> list[Block]:
    """A single list, with a button back to all."""
    row = [_page_button(texts, "home.all", "all", 0, 0)]
    if page.offset:
        previous = max(0, page.offset - ROWS_OF_ONE)
        row.append(_page_button(texts, "home.before", part.value, previous, page.offset))
    if page.more:
        row.append(_page_button(texts, "home.after", part.value, page.offset + ROWS_OF_ONE, page.more))
    for number, element in enumerate(row):
        # Action ids must differ within a block.
        element["action_id"] = f"home.page.{number}"
    return [
        header(list_heading(part, page.count, texts)),
        actions("home.turning", row),
        *_rows(part, page, actor, texts, now, 0),
    ]


def _page_button(texts: StaffTexts, text_id: str, name: str, offset: int, number: int) -> Block:
    return button(texts.text(text_id, number=number), "home.page.0", f"{name}:{offset}")


def _rows(
    part: WorklistSection, page: Worklist, actor: Actor, texts: StaffTexts, now: datetime, first: int
) -> list[Block]:
    if not page.cases:
        return [section(texts.text("home.none"))]
    blocks = []
    for number, case in enumerate(page.cases, start=first):
        # Numbered over all lists, so that a complaint on two lists has two block ids.
        block_id = f"actions:{case.work_version}.{number}"
        open_it = button(texts.text("verb.open"), "case.open", case.ref)
        name = _first_act(part, case, actor)
        served = name if part is WorklistSection.WAITING else _ACTS.get(part, "")
        row = case_row(case, texts, now, act=served)
        if name == "open":
            blocks.append(section(row, block_id=block_id, accessory=open_it))
        else:
            act = button(texts.text(f"verb.{name}"), f"case.{name}", case.ref, style="primary")
            blocks += [section(row), actions(block_id, [act, open_it])]
    return blocks


def _first_act(part: WorklistSection, case: Case, actor: Actor) -> str:
    if part is WorklistSection.WAITING:
        return waiting_form(case, actor)
    name = _ACTS.get(part)
    if name == "review_limit" and not is_open_to(name, case, actor):
        return "open"
    return name or next_act(case, actor)


async def _figures(slack: SlackContext, actor: Actor) -> list[Block]:
    """The open complaints in numbers, for managers."""
    if not is_allowed(None, Access.MANAGE, actor):
        return []
    rules, texts, now = await slack.store.aread(load_current_rulebook), slack.texts, slack.store.now()
    zone = rules.calendar.zone
    today_ends = at_minute(local_time(now, zone).date(), MINUTES_A_DAY, zone)
    counts = await slack.store.aread(count_open, actor, today_ends)
    by_priority = ", ".join(f"{priority}: {number}" for priority, number in counts.by_priority.items())
    text = texts.text(
        "home.figures",
        open=counts.total,
        overdue=counts.overdue,
        today=counts.due_today,
        unowned=counts.unowned,
        priorities=by_priority,
    ).removesuffix(" · ")
    chart = bar_chart(texts.text("chart.open"), texts.text("chart.complaints"), counts.by_priority)
    return [context(text), *chart]


async def _registers(slack: SlackContext, actor: Actor) -> list[Block]:
    """The registers, this person's entries that are due within a week, and those that wait for an act of theirs."""
    zone = (await slack.store.aread(load_current_rulebook)).calendar.zone
    today = local_time(slack.store.now(), zone).date()
    counts = await slack.store.aread(count_entries, today)
    own = await slack.store.aread(list_due_entries, today + timedelta(days=7), actor.id)
    unattested = await slack.store.aread(list_unattested, actor.id)
    waiting = await slack.store.aread(list_waiting_entries, actor)
    return home_blocks(counts, own, unattested, waiting, actor, slack.texts)


async def _failed_blocks(slack: SlackContext, actor: Actor) -> list[Block]:
    """The failed obligations that this manager may know of, each with a button that tries it again."""
    if not is_allowed(None, Access.MANAGE, actor):
        return []
    failed = await slack.store.aread(list_failed_obligations, actor, FAILED_ROWS)
    if not failed:
        return []
    rules, texts = await slack.store.aread(load_current_rulebook), slack.texts
    rows = [
        section(
            failed_line(obligation, texts, rules.calendar.zone),
            accessory=button(texts.text("stuck.retry"), "outbox.retry", str(obligation.number)),
        )
        for obligation in failed
    ]
    return [divider(), section(f"*{texts.text('stuck.title')}*"), *rows]
