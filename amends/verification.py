"""Verifies the record in batches, so that the desk keeps running and a run that was stopped continues."""

from collections.abc import Callable

from store.custody.verify import (
    Outside,
    Part,
    Start,
    begin_verification,
    conclude,
    end_verification,
    last_verified,
    pages_of,
    save_position,
    verify_owners,
)
from store.database.schema import find_differences
from store.store import Store
from store.values import Verification


def verify_in_steps(
    store: Store, outside: Outside, *, full: bool, show: Callable[[Start, int], None]
) -> Verification:
    """Check the owners in batches, each in a transaction of its own; after each batch the position is kept.

    `show` gets the start and the number of owners that were checked, first 0.
    """
    verified = None if full else store.read(last_verified)
    start = store.read(begin_verification, full=verified is None)
    # What was planted would act on these writes, and get the desk's signature.
    may_write = not store.read(lambda tx: list(find_differences(tx.connection)))
    part, done = Part(), 0
    show(start, done)
    for page in pages_of(start.owners):
        part += store.read(verify_owners, page)
        done += len(page)
        # A damage is only reported at the end: a run that was stopped before must find it again.
        if verified is None and may_write and not part.damages:
            store.write(save_position, page[-1], start.log)
        show(start, done)
    verification = store.read(conclude, part, outside, verified=verified, left_out=start.left_out)
    sound = verification.first_bad is None
    if may_write:
        store.write(end_verification, start.log, full=verified is None, sound=sound)
    return verification
