"""A record that an older release wrote."""

from store.database import migrate
from tests.databases import FakeClock, opened
from tests.edges.desk import Desk


def closed_before_the_journal(database_url: str, clock: FakeClock) -> str:
    """The reference of a complaint that was closed in a release without a journal; the tables are those of today."""
    with opened(database_url, clock) as store:
        ref = Desk(store).closed()
    migrate.downgrade(database_url, "0007")
    migrate.upgrade(database_url)
    return ref
