"""Forms of any size: every page is a view that Slack accepts, and the pages together ask everything once."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.slack.views.actions import fits
from bots.slack.views.form_modals import FormPlace, View, form_view, is_asked, with_notice
from bots.slack.views.open_form import next_preview_page, preview_view
from complaints.forms import CARD_ACTS, FORMS
from complaints.vocabulary import Verb
from simulator.slack.block_kit import view_problems
from tests.rules.slack_cases import (
    ALICE,
    MONA,
    Story,
    assessed,
    communicated,
    filled_in,
    investigated,
    voice,
)

MANY = 100
LANGUAGES = ("en", "tr")


def decided(story: Story, **more: Any) -> Story:
    issues, remedies = len(story.case.issues), range(MANY)
    row = {"type": "refund", "amount": "20.00", "currency": "GBP", "needs_acceptance": False}
    facts = {
        "issues": [{"finding": "upheld"}] * issues,
        "remedies": [dict(row) for _ in remedies],
        "others_affected": "none",
        "cause_class": "single",
    }
    words = {f"issues.{number}.reasons": "We erred. " * 290 for number in range(issues)}
    words |= {f"remedies.{number}.text": "The money back" for number in remedies}
    return story.act(Verb.RESPOND, ALICE, facts, words | {"root_cause": "A typing error"})


def many() -> Story:
    story = assessed(Story(), issues=[{"category": "money"}] * MANY)
    story.events[-1].words.update({f"issues.{n}.text": f"Matter {n} " * 90 for n in range(MANY)})  # type: ignore[attr-defined]
    return investigated(story)


def remedying() -> Story:
    return communicated(decided(many()).act(Verb.APPROVE, MONA, {"agreed": "yes"}))


def remedies_done() -> Story:
    story = remedying()
    for number in range(MANY):
        story.act(Verb.REMEDY_DONE, ALICE, {"remedy": str(number), "done_at": "2026-11-03T10:00:00Z"})
    return story


LARGE_CASES: dict[str, Callable[[], Story]] = {
    "assessed": lambda: assessed(Story(), issues=[{"category": "money"}] * MANY),
    "investigated": many,
    "waits for approval": lambda: decided(many()),
    "remedying": remedying,
    "remedies done": remedies_done,
}


@cache
def large_case(name: str) -> Story:
    return LARGE_CASES[name]()


def drawn_pages(form: str, story: Story, language: str, **rows: int) -> list[View]:
    letter = "Dear Anna, we erred, ığüşçö and so on. " * 4000
    start = filled_in(form, story.opened(), voice(language), events=story.events, waiting_letter=letter)
    start = start.with_typed({}, rows)
    first = form_view(form, story.case, voice(language), start)
    count = json.loads(first["private_metadata"]).get("pages", 1)
    return [
        form_view(form, story.case, voice(language), start, FormPlace(page=page)) for page in range(count)
    ]


def input_ids(views: list[View]) -> list[str]:
    return [block["block_id"] for view in views for block in view["blocks"] if block["type"] == "input"]


@pytest.mark.parametrize("name", LARGE_CASES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_form_of_a_case_with_a_hundred_issues_and_remedies_is_accepted_by_slack(
    name: str, language: str
) -> None:
    story = large_case(name)
    offered = [form for form in FORMS if form in CARD_ACTS and fits(form, story.case) and FORMS[form].fields]
    assert offered
    for form in offered:
        assert_accepted_and_complete(form, story, language)


def assert_accepted_and_complete(form: str, story: Story, language: str) -> None:
    groups = {entry.group: MANY for entry in FORMS[form].fields if entry.group}
    views = drawn_pages(form, story, language, **groups)

    for view in views:
        assert (form, view_problems(view, "modal")) == (form, [])
        assert (form, view_problems(with_notice(view, "Changed"), "modal")) == (form, [])
    expected = [
        entry.path.replace(".N.", f".{row}.")
        for entry in FORMS[form].fields
        if is_asked(entry, story.case, voice(language))
        # Nobody was asked for a statement, so none can be received.
        for row in range((0 if entry.group == "received" else MANY) if entry.group else 1)
    ]
    assert (form, sorted(input_ids(views))) == (form, sorted(expected))


def test_only_the_last_page_is_submitted_for_good() -> None:
    views = drawn_pages("decide", large_case("investigated"), "en")

    assert len(views) > 1
    assert [view["submit"]["text"] for view in views] == ["Next page"] * (len(views) - 1) + ["Preview"]
    assert [any(block.get("block_id") == "turning" for block in view["blocks"]) for view in views] == [
        False,
        *[True] * (len(views) - 1),
    ]


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 70), st.integers(1, 70), st.sampled_from(["decide", "assess"]))
def test_the_page_after_the_last_input_shows_the_next_one(issues: int, remedies: int, form: str) -> None:
    story = large_case("investigated")
    views = drawn_pages(form, story, "en", issues=issues, remedies=remedies)
    start = filled_in(form, story.opened(), voice(), events=story.events)
    groups = {
        entry.group: {"issues": issues, "remedies": remedies}[entry.group]
        for entry in FORMS[form].fields
        if entry.group
    }
    start = start.with_typed({}, groups)
    for view, following in pairwise(views):
        last = next(
            block["block_id"]
            for block in reversed(view["blocks"])
            if block["type"] in ("input", "actions") and block["block_id"] != "turning"
        )
        drawn = form_view(form, story.case, voice(), start, FormPlace(at=last, after=True))
        assert input_ids([drawn]) == input_ids([following])


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_letter_of_any_length_is_previewed_whole(language: str) -> None:
    letter = "Dear Anna, we erred, ığüşçö and so on. " * 9000
    view = preview_view("decide", large_case("investigated").case, letter, "draft-1", voice(language))
    views = [view]
    while len(views) < json.loads(view["private_metadata"])["pages"]:
        views.append(next_preview_page(views[-1], letter, voice(language)))
    shown = [
        block["text"]["text"]
        for view in views
        for block in view["blocks"]
        if block["type"] == "section" and block["text"]["type"] == "plain_text"
    ]

    assert all(view_problems(view, "modal") == [] for view in views)
    assert " ".join(shown).split() == letter.split()
    assert [view["submit"]["text"] for view in views[:-1]] == [views[0]["submit"]["text"]] * (len(views) - 1)
    assert views[-1]["submit"] != views[0]["submit"]
