"""What a verification finds."""

from typing import NamedTuple


class Damage(NamedTuple):
    """One damage: case (or other owner), event (0 for none), what is wrong; and the table, the row and the kind.

    `kind` is `edited`, `inserted` or `deleted`; empty where the chain of events is damaged.
    """

    ref: str
    seq: int
    why: str
    table: str = ""
    row: str = ""
    kind: str = ""
