"""The store: every method is one transaction; `in_thread` is the one crossing from asynchronous code."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ParamSpec, TypeVar

from complaints.followed import Followed
from complaints.rulebook import Rulebook
from store import (
    absences,
    acting,
    attempts,
    binding,
    by_voice,
    card_sweep,
    casefiles,
    checkpoints,
    claiming,
    contacts,
    entering,
    erased_words,
    examples,
    exporting,
    files,
    following,
    forgetting,
    hearing,
    identifiers,
    importing,
    incident_cards,
    incident_drafts,
    incident_joining,
    incident_once,
    incident_updates,
    incidents,
    learnt_history,
    likes,
    listening,
    meanwhile,
    messages,
    model_history,
    models,
    obligations,
    orphaned,
    owed_rows,
    pacing,
    periods,
    places,
    proposing,
    queue,
    reads,
    records,
    redating,
    rotating,
    rulebooks,
    slack_posts,
    staff,
    stuck,
    tidying,
    told,
    turns,
    unassessed,
    verifying,
    whose,
    worklists,
)
from store import (
    deliveries as delivered,
)
from store import (
    reading as opening,
)
from store import (
    set_aside as aside,
)
from store.answering import at_work
from store.engines import Engines, engines
from store.errors import DatabaseAway, InTheWay
from store.faces import Bound, reading, writing
from store.folded import FoldedCases
from store.house_chain import house_event as _house_event
from store.house_chain import house_events as _house_events
from store.keyring import Keyring
from store.migrating import require_current
from store.notifying import Notifying
from store.threads import Threads
from store.transactions import Tx

#: Longer than a database takes to start anew; shorter than anybody waits for a process to end.
SURELY_SECONDS, SURELY_EVERY = 60.0, 0.5

P = ParamSpec("P")
R = TypeVar("R")


def _real_now() -> datetime:
    return datetime.now(UTC)


def open_store(url: str, keys: Keyring, clock: Callable[[], datetime] = _real_now) -> Store:
    """Open the case file at `url`; NotMigrated when its tables are not those of this release."""
    require_current(url)
    return Store(engines(url), keys, clock)


class Store:
    """The case file. Its methods are synchronous; asynchronous code awaits `in_thread(method, …)`."""

    def __init__(self, engines: Engines, keys: Keyring, clock: Callable[[], datetime]) -> None:
        self._engines, self._keys, self._clock = engines, keys, clock
        self._threads = Threads(is_sqlite=engines.is_sqlite)
        self._rulebooks: dict[str, Rulebook] = {}
        self._folded = FoldedCases()
        self._callbacks: list[Callable[[], None]] = []
        self._notifying = None if engines.is_sqlite else Notifying(engines.url, self._call_back)
        #: The last write failed for the database's own reasons: a full disk, a server that only reads.
        self.writes_fail = False
        self._offset = timedelta(0)
        self._offset = timedelta(seconds=self.run(pacing.clock_offset, writes=False))

    # acts and what is heard
    hear = writing(hearing.hear)
    act = writing(acting.act)
    log = writing(entering.log)
    stage = writing(whose.stage)
    bind_code = writing(binding.bind_code)
    to_tell = writing(by_voice.to_tell)
    attempted = writing(attempts.attempted)
    blocked = writing(contacts.blocked)
    set_aside = writing(aside.set_aside)
    known = reading(aside.known)
    set_aside_list = reading(aside.set_aside_list)
    set_aside_take = reading(aside.set_aside_take)
    owe_set_aside = writing(aside.owe_set_aside)
    owe_all_set_aside = writing(aside.owe_all_set_aside)
    set_aside_give_up = writing(aside.set_aside_give_up)

    # what is owed
    insert = writing(owed_rows.insert)
    claim = writing(claiming.claim)
    claim_apart = writing(claiming.claim_apart)
    claimable = reading(claiming.claimable)
    still_owed = reading(obligations.still_owed)
    settle = writing(obligations.settle)
    postpone = writing(obligations.postpone)
    retry = writing(obligations.retry)
    stand_back = writing(obligations.stand_back)
    renew = writing(obligations.renew)
    free_waits = writing(obligations.free_waits)
    give_up = writing(obligations.give_up)
    orphaned = writing(orphaned.orphaned)
    retry_failed = writing(stuck.retry_failed)
    retry_all = writing(stuck.retry_all)
    give_up_for_good = writing(stuck.give_up_for_good)
    outbox = reading(stuck.outbox)
    deliveries = reading(delivered.deliveries)
    given_up = reading(delivered.given_up)
    reminders_waiting = reading(turns.reminders_waiting)
    reminders_told = writing(turns.reminders_told)
    ask_in_turn = writing(turns.ask_in_turn)
    free_leases = writing(obligations.free_leases)
    next_due = reading(obligations.next_due)
    waiting = reading(queue.waiting)

    # messages to the complainant
    sending = writing(messages.sending)
    sending_in_turn = writing(messages.sending_in_turn)
    sent = writing(messages.sent)
    unsent = writing(messages.unsent)
    contact = reading(messages.contact)

    # Slack
    posts = reading(slack_posts.posts)
    claim_post = writing(slack_posts.claim_post)
    take_over_post = writing(slack_posts.take_over_post)
    posted = writing(slack_posts.posted)
    post_deleted = writing(slack_posts.post_deleted)
    post_at = reading(slack_posts.post_at)
    draft = writing(slack_posts.draft)
    read_draft = reading(slack_posts.read_draft)
    drop_draft = writing(slack_posts.drop_draft)
    sweep_cards = writing(card_sweep.sweep_cards)
    slack_seen = writing(slack_posts.slack_seen)
    slack_known = reading(slack_posts.slack_known)

    # staff
    sync_staff = writing(staff.sync_staff)
    actor = reading(staff.actor)
    member = reading(staff.member)
    members = reading(staff.members)
    away = writing(absences.away)
    back = writing(absences.back)

    # reading
    require_key = reading(casefiles.require_key)
    case = reading(opening.case)
    open_case = writing(opening.open_case)
    dates_of = writing(opening.dates_of)
    record = reading(records.record)
    history = reading(opening.history)
    words_of = reading(told.words_of)
    texts = reading(told.texts)
    cases = reading(opening.cases)
    worklist = reading(worklists.worklist)
    loads = reading(worklists.loads)
    happened_since = reading(meanwhile.happened_since)
    coded = reading(worklists.coded)
    last_read = reading(reads.last_read)
    keep_identifier = writing(identifiers.keep_identifier)
    found_by = reading(identifiers.found_by)
    search_number = writing(identifiers.search_number)
    received_page = reading(periods.received_page)
    open_page = reading(periods.open_page)
    followed = reading(following.followed)
    followed_page = reading(following.followed_page)
    role_periods = reading(following.role_periods)
    repeats = reading(periods.repeats)

    # what leaves as a whole
    whole_case = reading(exporting.whole_case)
    export_person = reading(exporting.export_person)
    roles_of = reading(exporting.roles_of)
    note_read = writing(exporting.note_read)
    stored_file = reading(exporting.stored_file)

    # incidents
    open_incident = writing(incidents.open_incident)
    act_on_incident = writing(incidents.act_on_incident)
    open_with = writing(incident_joining.open_with)
    incident = reading(incidents.incident)
    open_incidents = reading(incidents.open_incidents)
    cases_of_incident = reading(incidents.cases_of_incident)
    incident_counts = reading(incidents.counts)
    incident_history = reading(incidents.incident_history)
    incident_audience = reading(incident_updates.audience)
    update_all = writing(incident_updates.update_all)
    update_text = reading(incident_updates.update_text)
    tell_of_incident = writing(incident_updates.tell)
    incident_deliveries = reading(incident_updates.deliveries)
    incident_post = writing(incident_cards.incident_post)
    incident_posted = writing(incident_cards.incident_posted)
    incident_draft = writing(incident_drafts.incident_draft)
    read_incident_draft = reading(incident_drafts.read_incident_draft)
    told_above = reading(incident_once.told_above)
    surveyed_before = reading(incident_once.surveyed_before)

    # like complaints
    propose = writing(proposing.propose)
    sketch_case = writing(likes.sketch_case)
    like_cases = reading(likes.like_cases)
    like_confirmed = reading(likes.like_confirmed)
    likes_of = reading(likes.likes_of)
    every_like = reading(likes.every_like)
    like_clusters = reading(likes.like_clusters)
    redraw_likes = writing(likes.redraw_likes)

    # files
    file_to_fetch = reading(files.file_to_fetch)
    keep_file = writing(files.keep_file)
    file_failed = writing(files.file_failed)
    file_bytes = writing(files.file_bytes)

    # models, rules, pace
    active_model = reading(models.active_model)
    model_blob = reading(models.model_blob)
    keep_model = writing(models.keep_model)
    use_model = writing(models.use_model)
    model_history = reading(model_history.model_history)
    good_model = reading(models.good_model)
    used_before = reading(models.used_before)
    is_whole = reading(models.is_whole)
    keep_run = writing(models.keep_run)
    last_run = reading(models.last_run)
    roll_back = writing(models.roll_back)
    learnt_until = reading(models.learnt_until)
    use_of_active = reading(models.use_of_active)
    assessed_since = reading(models.assessed_since)
    models_with_erased_words = reading(erased_words.models_with_erased_words)
    drop_erased_words = writing(erased_words.drop_erased_words)
    examples_page = reading(examples.examples_page)
    judged = reading(examples.judged)
    unassessed_page = reading(unassessed.unassessed_page)
    keep_history = writing(learnt_history.keep_history)
    history_rows = reading(learnt_history.history_rows)
    history_kept = reading(learnt_history.history_kept)
    forget_history = writing(learnt_history.forget_history)
    redate = writing(redating.redate)
    would_redate = reading(redating.would_redate)
    open_refs = reading(redating.open_refs)
    use_rulebook = writing(rulebooks.use_rulebook)
    use_rulebooks = writing(rulebooks.use_rulebooks)
    use_rulebooks_when_readable = writing(rulebooks.use_rulebooks_when_readable)
    current_rulebook = reading(rulebooks.current_rulebook)
    current_rulebooks = reading(rulebooks.current_rulebooks)
    take_place = writing(places.take)
    take_place_within = writing(places.take_within)
    pause = writing(places.pause)
    lead = writing(pacing.lead)
    let_go = writing(pacing.let_go)
    try_writing = writing(pacing.try_writing)
    listens = writing(listening.listens)

    # house and proof
    tidy = writing(tidying.tidy)
    checkpoint = writing(checkpoints.checkpoint)
    verify = reading(verifying.verify)
    house_event = writing(_house_event)
    house_events = reading(_house_events)
    stale_keys = reading(rotating.stale)
    rotate_keys = writing(rotating.rotate)
    keys_rotated = writing(rotating.rotated)

    known_past = reading(importing.known_past)
    import_past = writing(importing.import_past)

    # erasing
    person_of = reading(forgetting.person_of)
    erase = writing(forgetting.erase)
    erase_complainant = writing(forgetting.erase_complainant)
    unerased = reading(forgetting.unerased)
    expired = reading(forgetting.expired)

    @property
    def is_shared(self) -> bool:
        """True where several processes may serve one database."""
        return not self._engines.is_sqlite

    def now(self) -> datetime:
        """The desk's clock: real time and the one offset (design.md, rule 5)."""
        return self._clock() + self._offset

    def move_clock(self, seconds: float) -> datetime:
        """Move the desk's clock (demo and tests only); the new moment."""
        self._offset = timedelta(seconds=self.run(lambda tx: pacing.move_clock(tx, seconds), writes=True))
        return self.now()

    def for_monitoring(self, start: datetime, end: datetime) -> Iterator[Followed]:
        """Each complaint once, with its events: those received in the period, then what else is still open."""
        yield from periods.pages(lambda after: self.received_page(start, end, after))
        for one in periods.pages(self.open_page):
            if not start <= one.case.received_at < end:
                yield one

    def whole_record(self) -> Iterator[Followed]:
        """Every complaint with what stands beside it, the earliest received first, for the count."""
        return periods.pages(self.followed_page)

    def examples(self) -> list[dict[str, Any]]:
        """What people confirmed, with its words, the earliest first: page by page, each its own transaction."""
        return examples.gathered(self.examples_page)

    def on_commit(self, callback: Callable[[], None]) -> None:
        """Call this, from whatever thread wrote, after each commit that inserted or freed a duty."""
        self._callbacks.append(callback)
        if self._notifying is not None:
            self._notifying.listen()

    def run(self, do: Callable[[Tx], R], *, writes: bool) -> R:
        """One transaction round `do`: committed whole, or rolled back whole.

        Raises DatabaseAway where the database does not answer or cannot write, whatever it was about.
        """
        engine = self._engines.writing if writes else self._engines.reading
        if not writes:
            with at_work(), engine.begin() as connection:
                return do(self._tx(connection))
        tx: Tx | None = None
        try:
            with at_work(), self._threads.gate, engine.begin() as connection:
                tx = self._tx(connection)
                result = do(tx)
        except Exception as wrong:
            if isinstance(wrong, DatabaseAway) and not isinstance(wrong, InTheWay):
                self.writes_fail = True
            self._remember_refusals(tx)
            raise
        self.writes_fail = False
        if tx.owing:
            self._nudge()
        return result

    async def in_thread(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a method of this store, or a function that calls some, on the store's own threads."""
        writes = call.writes if isinstance(call, Bound) else True
        future = self._threads.submit(lambda: call(*args, **kwargs), writes=writes)
        return await asyncio.wrap_future(future)

    async def only_reading(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """The same for a function that writes nothing: it stands in nobody's queue of writers."""
        return await asyncio.wrap_future(self._threads.submit(lambda: call(*args, **kwargs), writes=False))

    async def surely(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """The same for what must be written down because it happened outside: while the database is away it waits.

        After SURELY_SECONDS it gives up with DatabaseAway; what was done is then found uncertain, and said so.
        """
        given_up = time.monotonic() + SURELY_SECONDS
        while True:
            try:
                return await self.in_thread(call, *args, **kwargs)
            except DatabaseAway:
                if time.monotonic() > given_up:
                    raise
            await asyncio.sleep(SURELY_EVERY)

    def close(self) -> None:
        """Finish what runs and close every connection."""
        if self._notifying is not None:
            self._notifying.close()
        self._threads.close()
        self._engines.close()

    def _tx(self, connection: Any) -> Tx:
        return Tx(connection, self._keys, self.now(), self._rulebooks, self._folded)

    def _remember_refusals(self, tx: Tx | None) -> None:
        if tx is None or not tx.if_refused:
            return
        with self._threads.gate, self._engines.writing.begin() as connection:
            later = self._tx(connection)
            for write in tx.if_refused:
                write(later)

    def _nudge(self) -> None:
        if self._notifying is not None:
            self._notifying.tell()
        self._call_back()

    def _call_back(self) -> None:
        for callback in self._callbacks:
            callback()
