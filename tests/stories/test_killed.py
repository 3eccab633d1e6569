"""The desk killed in the middle of a story, at each named point: the record is as if nothing had happened."""

from __future__ import annotations

import asyncio
import fcntl
import json
import pickle
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests import forked
from tests.databases import LONG
from tests.stories.killable import POINTS, Kill
from tests.stories.killed import Outcome, prepared, run
from tests.stories.likeness import unmarked

STORIES = {story.stem: story for story in sorted(Path(__file__).parent.glob("*.story"))}
#: These are killed at each point, the others at one.
WHOLE = ("resolved_the_same_day",)
#: These are killed once, at this point; the first five, one for each point, in every run, the others in a long one
#: (TESTING=long). The stories that are not here are long, or of a kind that is.
ONCE = {
    "an_album_and_a_voice_note_alone": "before_the_commit",
    "blocked_before_the_receipt": "claimed",
    "reopened_with_new_facts": "committed_but_not_acknowledged",
    "danger_in_mid_form": "posted_but_ts_not_stored",
    "disagreed_up_to_the_outside": "sent_but_not_settled",
    "refund_above_the_limit": "posted_but_ts_not_stored",
    "no_answer_and_nothing_owed": "sent_but_not_settled",
    "praise": "posted_but_ts_not_stored",
    "remedy_done_without_any_answer": "claimed",
    "logged_by_phone_bound_and_finished": "sent_but_not_settled",
    "told_by_voice_to_the_end": "claimed",
    "the_ombudsman_overturns_after_closing": "before_the_commit",
    "an_invoice_is_asked_for_and_more_time_agreed": "committed_but_not_acknowledged",
    "one_matter_told_twice": "posted_but_ts_not_stored",
    "a_mother_for_her_adult_son": "claimed",
    "no_contact_and_a_copy_of_the_data": "sent_but_not_settled",
}


class Case(NamedTuple):
    """Which story dies where: after this share of the passings that an undisturbed run has."""

    story: str
    point: str
    share: float


def _cases() -> list[Case]:
    # Each point early in one story and later in the next; never so late that another run might not reach it.
    shares = (0.0, 0.2, 0.4, 0.6)
    matrix = [
        Case(story, point, shares[(row + column) % len(shares)])
        for column, point in enumerate(POINTS)
        for row, story in enumerate(WHOLE)
    ]
    once = [Case(story, point, shares[at % len(shares)]) for at, (story, point) in enumerate(ONCE.items())]
    return matrix + (once if LONG else once[: len(POINTS)])


CASES = _cases()
Undisturbed = Callable[[str], Awaitable[Outcome]]


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder that all workers of this session see."""
    own = tmp_path_factory.getbasetemp()
    shared = own if worker_id == "master" else own.parent
    folder = shared / "killed"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def template(shared_folder: Path) -> Path:
    """The desk as its first start leaves it, its model trained: made once, copied for each run."""
    forked.warm()
    folder = shared_folder / "template"
    with _locked(shared_folder / "template.lock"):
        if not folder.exists():
            making = shared_folder / "making"
            making.mkdir()
            prepared(making)
            making.rename(folder)
    return folder


@pytest.fixture(scope="session")
def undisturbed(shared_folder: Path, template: Path) -> Undisturbed:
    """What a story leaves behind when nobody dies; each is played once in a session."""

    async def played(story: str) -> Outcome:
        file = shared_folder / f"{story}.outcome"
        with await asyncio.to_thread(_locked, shared_folder / f"{story}.lock"):
            if not file.exists():
                text = STORIES[story].read_text(encoding="utf-8")
                outcome = await run(text, template, shared_folder / story, None)
                file.write_bytes(pickle.dumps(outcome))
        outcome_: Outcome = pickle.loads(file.read_bytes())
        return outcome_

    return played


class _locked:  # noqa: N801  # reads as a verb: with _locked(file)
    """Hold a lock over all workers; taken when made."""

    def __init__(self, file: Path) -> None:
        self._file = file.open("w")
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __enter__(self) -> None:
        """It is held already."""

    def __exit__(self, *_: object) -> None:
        self._file.close()


@pytest.mark.parametrize("case", CASES, ids=[f"{one.story}-{one.point}" for one in CASES])
async def test_the_record_is_as_if_the_desk_had_not_died(
    case: Case, template: Path, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    whole = await undisturbed(case.story)
    assert whole.failed is None, f"{whole.failed}\n{whole.log}"
    assert case.point in whole.passed, f"{case.story} never passes {case.point}: name another point for it"
    kill = Kill(case.point, max(1, round(whole.passed[case.point] * case.share)))

    text = STORIES[case.story].read_text(encoding="utf-8")
    killed = await run(text, template, tmp_path, kill)

    told = f"{kill}\n{killed.failed}\n{killed.log}"
    assert killed.failed is None, told
    assert killed.deaths == 1, told
    assert _lines(killed.records) == _lines(whole.records)
    assert killed.heard == whole.heard
    assert len(set(killed.repeated)) == len(killed.repeated)
    if case.point == "sent_but_not_settled":
        assert len(killed.repeated) == 1
        assert killed.uncertain == [unmarked(one)[0] for one in killed.repeated]
    assert killed.posted_twice == []
    assert killed.posts == whole.posts
    assert killed.given_up == whole.given_up
    assert killed.proof.first_bad is None
    assert killed.refused == whole.refused


def _lines(records: object) -> list[str]:
    """One value a line: where two records differ, a failing test shows the line."""
    return json.dumps(records, indent=1, ensure_ascii=False).splitlines()
