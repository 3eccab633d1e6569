"""The opened complaint is one timeline, and the forms of letters show the story: all of it within Slack's limits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bots.slack.client.refused_blocks import plain_blocks
from bots.slack.views.form_modals import form_view
from bots.slack.views.opened_case import case_view, model_view
from bots.slack.views.timeline import SUMMARY_LENGTH, summary_is_whole
from complaints.forms import FORMS
from complaints.vocabulary import Verb
from simulator.slack.block_kit import view_problems
from store.values import FileEntry, OpenedCase, Text
from tests.rules.slack_cases import (
    ALICE,
    NOW,
    SHOWING_STORY,
    Story,
    assessed,
    filled_in,
    investigated,
    proposed,
    voice,
)

#: A word without end, of a letter that no text of ours has.
LONG = "ж" * 3000


def texts_in(value: Any) -> Iterator[str]:
    """Every text of a view, from top to bottom."""
    if isinstance(value, dict):
        if isinstance(value.get("text"), str):
            yield value["text"]
        for inner in value.values():
            yield from texts_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_in(inner)


def written(*words: str, field: str = "addition", seq: int = 100) -> tuple[Text, ...]:
    return tuple(
        Text(field, seq + n, text, NOW + timedelta(hours=1, minutes=n), None, None)
        for n, text in enumerate(words)
    )


def with_texts(story: Story, *texts: Text) -> OpenedCase:
    opened = story.opened()
    return replace(opened, texts=(*opened.texts, *texts))


def all_pages(opened: OpenedCase) -> list[dict[str, Any]]:
    pages: list[dict[str, Any]] = []
    while not pages or '"open.next"' in str(pages[-1]).replace("'", '"'):
        pages.append(case_view(opened, voice(), now=NOW, page=len(pages)))
    return pages


def test_messages_and_acts_of_both_sides_stand_in_the_order_in_which_they_happened() -> None:
    story = Story("The pump broke").act(Verb.NOTE, ALICE, {}, {"text": "Called the depot"})
    sent = {"direction": "out", "at": NOW + timedelta(minutes=90), "text": "We are on it", "state": "sent"}
    opened = replace(with_texts(story, *written("It broke again")), messages=(sent,))
    shown = "\n".join(texts_in(case_view(opened, voice(), now=NOW)["blocks"]))
    places = [shown.index(words) for words in ("The pump broke", "Called the depot", "It broke again")]
    places += [shown.index("We are on it"), shown.index("Category")]

    assert places == sorted(places)
    assert shown.count("Anna") >= 2


def test_receipts_do_not_push_the_complainants_answer_out_of_a_form() -> None:
    later = [NOW + timedelta(hours=2, minutes=n) for n in range(4)]
    sent = tuple({"direction": "out", "at": at, "text": f"Receipt {at:%M}", "state": "sent"} for at in later)
    opened = replace(with_texts(assessed(Story()), *written("12 Mill Lane")), messages=sent)
    shown = "\n".join(texts_in(filled_in("reply", opened, voice()).preface))

    assert "12 Mill Lane" in shown
    assert "Receipt 03" in shown


def test_words_that_are_in_the_letter_are_not_shown_twice() -> None:
    story = assessed(Story()).act(
        Verb.REPLY, ALICE, {}, {"text": "It is repaired", "letter": "A7K: It is repaired"}
    )
    sent = {"direction": "out", "at": NOW, "text": "A7K: It is repaired", "state": "sent"}
    shown = "\n".join(texts_in(case_view(replace(story.opened(), messages=(sent,)), voice(), now=NOW)))

    assert shown.count("It is repaired") == 1


def test_several_words_of_an_act_have_the_labels_of_their_fields() -> None:
    words = {"facts": "The pump was old.", "findings.0.happened": "It broke on Monday."}
    story = assessed(Story()).act(Verb.NOTE, ALICE, {}, {"text": "Only one"})
    story = story.act(Verb.INVESTIGATE, ALICE, {"evidence": ["records_checked"]}, words)
    shown = "\n".join(texts_in(case_view(story.opened(), voice(), now=NOW)["blocks"]))

    assert "> Facts established – The pump was old.\n" in shown
    assert "> What happened, as we now know it – It broke on Monday." in shown
    assert "> Only one" in shown


def test_the_words_of_a_second_assessment_have_the_labels_of_the_first() -> None:
    story = assessed(Story())
    words = {"issues.0.text": "The bill", "immediate_action": "Water was sent."}
    criteria = {entry.name: story.events[-1].facts.get(entry.name) for entry in FORMS["assess"].fields}
    story = story.act(Verb.REASSESS, ALICE, criteria, words)
    shown = "\n".join(texts_in(case_view(story.opened(), voice(), now=NOW)["blocks"]))

    assert "> The immediate action – Water was sent." in shown


def test_a_recording_has_its_transcript_and_translation_below_it() -> None:
    voice_note = FileEntry(1, "voice", "audio/ogg", 3000, None, "fetched", "s", None, NOW)
    transcript = Text("transcript.1", 7, "Es riecht nach Gas", NOW + timedelta(hours=2), None, None)
    opened = replace(with_texts(Story(), transcript, *written("Later")), files=(voice_note,))
    opened = replace(opened, translations={(opened.case.ref, 7, "transcript.1"): "It smells of gas"})
    shown = "\n".join(texts_in(case_view(opened, voice(), now=NOW)))
    places = [shown.index(words) for words in ("voice", "Es riecht nach Gas", "It smells of gas", "Later")]

    assert places == sorted(places)
    assert "It smells of gas" in str(form_of("reply", opened))


def test_a_long_case_has_the_story_and_the_newest_on_its_first_page_and_every_block_once() -> None:
    words = [f"message {n}. {LONG}" for n in range(300)]
    opened = with_texts(proposed(Story(f"The story. {LONG * 30}")), *written(*words))
    pages = all_pages(opened)
    shown = [str(list(texts_in(page["blocks"]))) for page in pages]

    assert [view_problems(page, "modal") for page in pages] == [[]] * len(pages)
    assert "The story." in shown[0]
    assert "message 299." in shown[0]
    assert "message 0." in shown[-1]
    assert "Model: money".lower() in shown[0].lower()
    whole = "".join(shown)
    assert [whole.count(f"message {n}.") for n in range(300)] == [1] * 300
    assert whole.count("ж") == len(LONG) * 330


def test_the_reasons_of_the_model_are_only_in_the_view_behind_its_line() -> None:
    opened = proposed(Story()).opened()

    assert "Because of" not in str(case_view(opened, voice(), now=NOW))
    assert "Because of: “bill”" in str(model_view(opened, voice(), now=NOW))


def form_of(form: str, opened: OpenedCase, story: Story | None = None) -> dict[str, Any]:
    events = story.events if story is not None else opened.events
    return form_view(form, opened.case, voice(), filled_in(form, opened, voice(), events=events))


@pytest.mark.parametrize("form", sorted(SHOWING_STORY))
def test_forms_of_letters_show_the_story_and_the_latest_messages_with_a_hundred_issues(form: str) -> None:
    rows = [{"category": "money"}] * 100
    story = Story(f"The story. {LONG}")
    story.act(
        Verb.ASSESS,
        ALICE,
        {"category": "money", "severity": 2, "safety": 0, "complexity": 1, "reach": 1, "recurrence": 2,
         "immediate_needed": "no", "issues": rows},
        {f"issues.{n}.text": "x" * 3000 for n in range(100)},
    )  # fmt: skip
    opened = with_texts(investigated(story), *written(*(f"message {n}. {LONG}" for n in range(5))))
    view = form_of(form, opened)
    shown = "\n".join(texts_in(view["blocks"]))

    assert view_problems(view, "modal") == []
    assert "The story." in shown
    if form not in ("approve", "check_decision"):
        assert [f"message {n}." in shown for n in range(5)] == [False, False, True, True, True]
        assert SUMMARY_LENGTH * 3 < shown.count("ж") <= SUMMARY_LENGTH * 4


def test_a_summary_is_whole_only_if_everything_unread_stands_in_it_in_full() -> None:
    short, many = (
        with_texts(Story(), *written("a", "b", "c")),
        with_texts(Story(), *written("a", "b", "c", "d")),
    )
    long = with_texts(Story(), *written(LONG))

    assert summary_is_whole(short, voice(), None)
    assert not summary_is_whole(many, voice(), None)
    assert summary_is_whole(many, voice(), many.texts[1].at)
    assert not summary_is_whole(long, voice(), NOW)


def test_words_are_quotations_that_become_plain_sections_where_a_workspace_refuses_them() -> None:
    words = "<!channel> *now* <@U0000001>"
    opened = with_texts(Story(), *written(words))
    view = case_view(opened, voice(), now=NOW)
    quotation = next(
        block for block in view["blocks"] if block["type"] == "rich_text" and words in str(block)
    )

    assert quotation["elements"][1] == {
        "type": "rich_text_quote",
        "elements": [{"type": "text", "text": words}],
    }
    (plain,) = plain_blocks([quotation])
    assert plain["text"]["type"] == "plain_text"
    assert words in plain["text"]["text"]


def test_many_letters_to_read_out_and_long_reasons_fit_and_none_is_lost() -> None:
    story = Story().act(Verb.NOTE, ALICE, {}, {"text": "seen"})
    note = replace(
        story.events[-1], words={f"issues.{n}.reasons": f"reason {n}. {'x' * 2000}" for n in range(100)}
    )
    letters = tuple(
        {"direction": "out", "at": NOW, "text": f"letter {n}. {LONG}", "state": "to_tell", "channel": "phone"}
        for n in range(40)
    )
    opened = replace(story.opened(), events=(*story.events[:-1], note), messages=letters)
    pages = all_pages(opened)
    whole = "".join(str(list(texts_in(page["blocks"]))) for page in pages)

    assert [view_problems(page, "modal") for page in pages] == [[]] * len(pages)
    assert [whole.count(f"letter {n}.") for n in range(40)] == [1] * 40
    assert [whole.count(f"reason {n}.") for n in range(100)] == [1] * 100
