"""The monthly draw of closed complaints for a review, and another reviewer for an overdue one (4.5, Annex C)."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from complaints.obligations.kinds import NewObligation, SendPriority
from complaints.times import at_minute, local_time
from scheduler.worker import Handler
from store.cases.reviews import draw_reviews, give_review, rank_closed
from store.outbox.complete import Completed, Outcome
from store.rulebooks import load_current_rulebook
from store.store import Store
from store.values import Obligation


def monthly_draw(now: datetime, zone: str) -> NewObligation:
    """Draws from the complaints that were closed in the month before; its key is this month, so it is drawn once."""
    first = local_time(now, zone).date().replace(day=1)
    facts = {"period": f"{first - timedelta(days=1):%Y-%m}"}
    return NewObligation(f"draw_reviews:{first:%Y-%m}", "draw_reviews", now, SendPriority.BULK, facts)


def review_handlers(store: Store, each_month: int) -> Mapping[str, Handler]:
    """The handlers of `draw_reviews` and `redraw_review`."""

    async def draw(obligation: Obligation) -> Outcome:
        if not each_month:
            return Completed()
        zone = (await store.aread(load_current_rulebook)).calendar.zone
        period = str(obligation.facts["period"])
        first = date.fromisoformat(f"{period}-01")
        after = (first + timedelta(days=31)).replace(day=1)
        start, end = (at_minute(day, 0, zone) for day in (first, after))
        # The list may be long; on the writing thread everybody would wait for it.
        ranked, closed = await store.aread(rank_closed, period, start, end, each_month)
        await store.awrite(draw_reviews, period, ranked, closed, each_month)
        return Completed()

    async def redraw(obligation: Obligation) -> Outcome:
        await store.awrite(give_review, str(obligation.ref), f"{obligation.due:%Y-%m}")
        return Completed()

    return {"draw_reviews": draw, "redraw_review": redraw}
