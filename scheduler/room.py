"""How many duties one process has in hand, and how many places are kept for what is urgent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

from complaints.duties import Lane
from store.values import Side

#: Side by side at each platform; of what reckons long; and of all else, which asks nobody outside.
AT_A_PLATFORM, ELSEWHERE = 48, 32


def room_of(most: int, in_hand: int) -> dict[Lane, int]:
    """How many more each lane may take: surveys never fill every place, nor do reminders, nor does talk."""
    at_most = {Lane.DANGER: most, Lane.DIALOGUE: most - 2, Lane.NOTICE: most * 3 // 4, Lane.BULK: most // 2}
    return {lane: max(0, each - in_hand) for lane, each in at_most.items()}


class Rooms:
    """One room for each platform, so that a slow one keeps nothing from the other, and one for the rest.

    What reckons long has a room of its own too: thousands of proposals keep nobody's next question waiting.
    """

    def __init__(
        self,
        kinds: Iterable[str],
        platforms: Iterable[Collection[str]] = (),
        reckoning: Collection[str] = (),
    ) -> None:
        apart = [*((one, AT_A_PLATFORM) for one in platforms), (reckoning, ELSEWHERE)]
        rest = set(kinds).difference(*(these for these, _ in apart))
        rooms = [*apart, (rest, ELSEWHERE)]
        self._rooms = [(tuple(sorted(these)), most) for these, most in rooms if these]
        self._of = {kind: number for number, (these, _) in enumerate(self._rooms) for kind in these}
        self._in_hand: Counter[int] = Counter()

    def enter(self, kind: str) -> None:
        """One more is in hand."""
        self._in_hand[self._of[kind]] += 1

    def leave(self, kind: str) -> None:
        """One less."""
        self._in_hand[self._of[kind]] -= 1

    def sides(self) -> list[Side]:
        """What may be claimed now."""
        return [
            Side(kinds, room_of(most, self._in_hand[number]))
            for number, (kinds, most) in enumerate(self._rooms)
        ]

    def for_any(self) -> int:
        """How many duties there is room for, whatever they are."""
        return min((side.room[Lane.BULK] for side in self.sides()), default=0)

    @property
    def is_full(self) -> bool:
        """No place at all is free."""
        return all(not side.room[Lane.DANGER] for side in self.sides())
