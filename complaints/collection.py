"""What the record shows of its own keeping (8.1): requests about data, erasures, copies, holds and publications."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple


class DataRequest(NamedTuple):
    """A request about one person's data. `due_at` is None where no date was promised."""

    about: str
    asked_at: datetime
    due_at: datetime | None
    answered_at: datetime | None


class CollectionRecord(NamedTuple):
    """The period's `events` of the installation by verb, each with its time and facts, and what is kept now.

    `under_hold` complaints are under a legal hold now; `erased` ones have lost their words, of `complaints` in all.
    """

    events: Mapping[str, Sequence[tuple[datetime, Mapping[str, Any]]]]
    requests: Sequence[DataRequest]
    placed: int
    released: int
    under_hold: int
    complaints: int
    erased: int
