"""How a function of a transaction becomes a method of the store: `writing(hear)`, `reading(case)`."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from store.transactions import Tx

if TYPE_CHECKING:
    from store.open import Store

P = ParamSpec("P")
R = TypeVar("R")


class Bound(Generic[P, R]):
    """A method of one store: called, it opens one transaction round the function and commits it."""

    def __init__(self, store: Store, do: Callable[Concatenate[Tx, P], R], *, writes: bool) -> None:
        self._store, self._do, self.writes = store, do, writes
        update_wrapper(self, do)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """In this thread, now."""
        return self._store.run(lambda tx: self._do(tx, *args, **kwargs), writes=self.writes)


class Face(Generic[P, R]):
    """The descriptor behind a method of the store."""

    def __init__(self, do: Callable[Concatenate[Tx, P], R], *, writes: bool) -> None:
        self._do, self._writes = do, writes
        self.__doc__ = do.__doc__

    @overload
    def __get__(self, store: None, owner: type[Any]) -> Face[P, R]: ...
    @overload
    def __get__(self, store: Store, owner: type[Any]) -> Bound[P, R]: ...
    def __get__(self, store: Store | None, owner: type[Any]) -> Face[P, R] | Bound[P, R]:
        """Bound to its store."""
        return self if store is None else Bound(store, self._do, writes=self._writes)


def writing(do: Callable[Concatenate[Tx, P], R]) -> Face[P, R]:
    """A method that writes: on SQLite one at a time."""
    return Face(do, writes=True)


def reading(do: Callable[Concatenate[Tx, P], R]) -> Face[P, R]:
    """A method that only reads: beside the writer."""
    return Face(do, writes=False)
