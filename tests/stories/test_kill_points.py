"""The desk is killed during a story, at each named point; the record is the same as without the kill."""

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
from tests.stories.comparable import unmarked
from tests.stories.kill_points import POINTS, Kill
from tests.stories.story_run import Outcome, prepare, run

STORIES = {story.stem: story for story in sorted(Path(__file__).parent.rglob("*.story"))}
#: These are killed at each point in a long run (TESTING=long), the others at one.
WHOLE = ("resolved_the_same_day",)
#: These are killed once, at this point: the first five, one for each point, in every run, the others in a long run.
#: The stories not listed are long, or like one that is listed.
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
    """A story, the point of the kill, and its position as a share of the passings in an undisturbed run."""

    story: str
    point: str
    share: float


def _cases() -> list[Case]:
    # Each point comes early in one story and later in the next, but never so late that a run might not reach it.
    shares = (0.0, 0.2, 0.4, 0.6)
    matrix = [
        Case(story, point, shares[(row + column) % len(shares)])
        for column, point in enumerate(POINTS)
        for row, story in enumerate(WHOLE)
    ]
    once = [Case(story, point, shares[row % len(shares)]) for row, (story, point) in enumerate(ONCE.items())]
    return matrix + once if LONG else once[: len(POINTS)]


CASES = _cases()
Undisturbed = Callable[[str], Awaitable[Outcome]]


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder that all test workers of this session share."""
    own = tmp_path_factory.getbasetemp()
    shared = own if worker_id == "master" else own.parent
    folder = shared / "killed"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def template(shared_folder: Path) -> Path:
    """The desk after its first start, with a trained model: made once and copied for each run."""
    forked.warm()
    folder = shared_folder / "template"
    with _locked(shared_folder / "template.lock"):
        if not folder.exists():
            unfinished = shared_folder / "unfinished"
            unfinished.mkdir()
            prepare(unfinished)
            unfinished.rename(folder)
    return folder


@pytest.fixture(scope="session")
def undisturbed(shared_folder: Path, template: Path) -> Undisturbed:
    """The outcome of a story without a kill; each story is played once in a session."""

    async def play(story: str) -> Outcome:
        file = shared_folder / f"{story}.outcome"
        with await asyncio.to_thread(_locked, shared_folder / f"{story}.lock"):
            if not file.exists():
                text = STORIES[story].read_text(encoding="utf-8")
                outcome = await run(text, template, shared_folder / story, None)
                file.write_bytes(pickle.dumps(outcome))
        outcome_: Outcome = pickle.loads(file.read_bytes())
        return outcome_

    return play


class _locked:  # noqa: N801  # reads as a verb: with _locked(file)
    """Holds a lock across all test workers, from its creation."""

    def __init__(self, file: Path) -> None:
        self._file = file.open("w")
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __enter__(self) -> None:
        """The lock is already held."""

    def __exit__(self, *_: object) -> None:
        self._file.close()


@pytest.mark.parametrize("case", CASES, ids=[f"{case.story}-{case.point}" for case in CASES])
async def test_after_a_kill_the_record_is_as_without_it(
    case: Case, template: Path, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    whole = await undisturbed(case.story)
    assert whole.failed is None, f"{whole.failed}\n{whole.log}"
    assert case.point in whole.passes, f"{case.story} never passes {case.point}: name another point for it"
    kill = Kill(case.point, max(1, round(whole.passes[case.point] * case.share)))

    text = STORIES[case.story].read_text(encoding="utf-8")
    killed = await run(text, template, tmp_path, kill)

    details = f"{kill}\n{killed.failed}\n{killed.log}"
    assert killed.failed is None, details
    assert killed.deaths == 1, details
    assert _lines(killed.records) == _lines(whole.records)
    assert killed.texts == whole.texts
    assert len(set(killed.repeats)) == len(killed.repeats)
    if case.point == "sent_but_not_settled":
        assert len(killed.repeats) == 1
        assert killed.uncertain == [unmarked(text)[0] for text in killed.repeats]
    assert killed.posted_twice == []
    assert killed.posts == whole.posts
    assert killed.given_up == whole.given_up
    assert killed.proof.first_bad is None
    assert killed.refused == whole.refused


def _lines(records: object) -> list[str]:
    """Return one value a line, so that a failing test shows the line that differs."""
    return json.dumps(records, indent=1, ensure_ascii=False).splitlines()
