"""Forms at every stage are views that Slack accepts, keep their input, and never turn text into markup."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.slack.client.block_kit import Block, escaped, pieces
from bots.slack.views.actions import available_actions, fits
from bots.slack.views.card import event_line, thread_line
from bots.slack.views.form_inputs import input_block, values_of
from bots.slack.views.form_modals import View, form_view, notice_view, with_notice, with_row
from bots.slack.views.open_form import preview_view
from bots.slack.views.opened_case import case_view
from bots.slack.views.prefill import FormStart, prefill, remedy_words_by_number
from complaints.actions.intake import message_facts
from complaints.actors import SYSTEM
from complaints.case import Event
from complaints.forms import CARD_ACTS, FORMS, PREVIEWED, read
from complaints.vocabulary import Role, Verb
from simulator.slack.block_kit import message_problems, view_problems
from store.values import FileEntry, Text
from tests.rules.slack_cases import (
    ALICE,
    ANNA,
    NOW,
    REF,
    Story,
    assessed,
    filled_in,
    investigated,
    proposed,
    stages,
    voice,
)

STAGES = stages()
FITTING = [
    (name, form)
    for name, story in STAGES.items()
    for form in FORMS
    if form in CARD_ACTS and fits(form, story.case)
]


def view_of(form: str, story: Story, language: str = "en", letter: str = "Dear Anna") -> View:
    filled = filled_in(form, story.opened(), voice(language), events=story.events, waiting_letter=letter)
    return form_view(form, story.case, voice(language), filled)


def inputs(view: View) -> dict[str, Block]:
    return {block["block_id"]: block for block in view["blocks"] if block["type"] == "input"}


def test_a_form_says_under_each_text_who_reads_it() -> None:
    story = STAGES["assessed"]
    hints = {
        f"{form}.{name}": block.get("hint", {}).get("text", "")
        for form in ("not_accept", "resolve", "note")
        for name, block in inputs(view_of(form, story)).items()
    }
    word_for_word, staff = "The complainant gets this, word for word.", "For staff: it is not sent."
    assert {hints["not_accept.reason"], hints["resolve.done"]} == {word_for_word}
    assert hints["resolve.finding"] == "The letter to the complainant says this."
    assert hints["resolve.cause"].startswith(staff)
    assert hints["note.text"].startswith(staff)
    assert hints["resolve.cause_class"] == ""


@pytest.mark.parametrize("language", ["en", "de", "es", "tr"])
def test_an_input_starts_without_misleading_characters_says_so_and_saves_what_is_seen(language: str) -> None:
    entry, emoji = FORMS["note"].fields[0], "\U0001f468\u200d\U0001f469"
    words = f"refund \u202e001\u2066 Sm\u200bith {emoji}"
    changed = input_block(entry, "text", voice(language), initial=words)
    typed = {"type": "plain_text_input", "value": changed["element"]["initial_value"]}
    assert values_of({"text": {"value": typed}}) == {"text": f"refund 001 Smith {emoji}"}
    assert changed["hint"]["text"] == voice(language).text("modal.hidden")
    same = input_block(entry, "text", voice(language), initial=f"refund {emoji}")
    assert same["hint"] == input_block(entry, "text", voice(language))["hint"]
    cut = input_block(entry, "text", voice(language), initial="\u202e" + "x" * 3001)
    assert cut["hint"]["text"].endswith(voice(language).text("modal.hidden"))
    assert len(cut["hint"]["text"]) > len(changed["hint"]["text"])


@pytest.mark.parametrize("name", STAGES)
@pytest.mark.parametrize("language", ["en", "tr", "de", "es"])
def test_every_form_is_a_valid_view_at_every_stage_that_offers_it(name: str, language: str) -> None:
    version = STAGES[name].case.work_version
    for form in (form for stage, form in FITTING if stage == name and FORMS[form].fields):
        view = view_of(form, STAGES[name], language)

        assert (form, view_problems(view, "modal")) == (form, [])
        assert view["callback_id"] == form
        stored = json.loads(view["private_metadata"])
        stored.pop("ticked", None)
        assert stored == {"ref": REF, "version": version}, form


@pytest.mark.parametrize("name", STAGES)
@pytest.mark.parametrize("language", ["en", "tr", "de", "es"])
def test_the_open_complaint_is_a_valid_view_at_every_stage(name: str, language: str) -> None:
    view = case_view(STAGES[name].opened(), voice(language), now=NOW)

    assert view_problems(view, "modal") == []


@pytest.mark.parametrize("form", sorted(PREVIEWED))
def test_a_preview_shows_the_exact_letter_and_offers_to_go_back(form: str) -> None:
    letter = "Dear Anna,\n\n" + "Your bill was <wrong> & is mended. " * 200
    view = preview_view(form, STAGES["assessed"].case, letter, "draft-1", voice())

    assert view_problems(view, "modal") == []
    assert view["callback_id"] == f"{form}_preview"
    assert view["close"]["text"] == "Back"
    assert json.loads(view["private_metadata"]) == {"ref": REF, "version": 1, "draft": "draft-1"}
    text = " ".join(block["text"]["text"] for block in view["blocks"][1:])
    assert text.split() == letter.split()


def test_safety_is_never_prefilled() -> None:
    first = inputs(view_of("assess", STAGES["proposed"]))
    again = inputs(view_of("assess", STAGES["assessed"]))

    assert "initial_option" not in first["safety"]["element"]
    assert "initial_option" not in again["safety"]["element"]
    assert first["category"]["element"]["initial_option"]["value"] == "money"
    assert first["severity"]["element"]["initial_option"]["value"] == "2"


def test_an_abstaining_model_prefills_no_category() -> None:
    assert "initial_option" not in inputs(view_of("assess", STAGES["not sure"]))["category"]["element"]


def test_the_assessment_form_shows_the_words_and_the_reasons_of_the_proposal() -> None:
    texts = json.dumps(view_of("assess", STAGES["proposed"])["blocks"], ensure_ascii=False)

    assert "My bill is wrong" in texts
    assert "Because of: “bill”" in texts


def test_listening_must_be_confirmed_only_for_a_complaint_without_words() -> None:
    assert "media_heard" not in inputs(view_of("assess", STAGES["proposed"]))
    assert inputs(view_of("assess", STAGES["voice only"]))["media_heard"]["optional"] is False


def test_a_reply_to_another_language_may_be_confirmed() -> None:
    assert "language_confirmed" not in inputs(view_of("reply", STAGES["received"]))
    assert inputs(view_of("reply", STAGES["received in Turkish"]))["language_confirmed"]["optional"] is True


def test_a_decision_asks_one_finding_and_its_reasons_for_each_issue() -> None:
    two = assessed(Story(), issues=[{"category": "money"}, {"category": "service"}])
    names = list(inputs(view_of("decide", two)))

    assert names[:4] == ["issues.0.finding", "issues.0.reasons", "issues.1.finding", "issues.1.reasons"]
    assert "issues.2.finding" not in names


@pytest.mark.parametrize("form", ["decide", "resolve"])
def test_a_statement_that_has_not_come_is_named_above_a_decision_and_investigate_is_first(form: str) -> None:
    request = {"statements": [{"inside": "no", "due_on": "2026-11-10"}]}
    story = investigated(assessed(Story()))
    assert "not here yet" not in json.dumps(view_of(form, story))
    assert "investigate" not in available_actions(story.case).buttons
    story = story.act(Verb.INVESTIGATE, ALICE, request, {"statements.0.of_whom": "The fitter"})
    shown = view_of(form, story)["blocks"]
    warning = next(number for number, block in enumerate(shown) if "not here yet" in json.dumps(block))
    first_input = next(number for number, block in enumerate(shown) if block["type"] == "input")

    assert warning < first_input
    assert "Statement 1 from The fitter: due Tue 10 Nov" in json.dumps(shown)
    assert available_actions(story.case).buttons[0] == "investigate"


def test_remedies_are_listed_with_their_promised_words() -> None:
    element = inputs(view_of("remedy", STAGES["remedying"]))["remedy"]["element"]

    assert [option["text"]["text"] for option in element["options"]] == [
        "1: Refund 20.00 GBP · The money back"
    ]
    assert element["initial_option"]["value"] == "0"
    assert remedy_words_by_number(STAGES["remedying"].events) == {0: {"text": "The money back"}}


def test_the_words_of_a_decision_that_was_taken_back_are_those_of_no_remedy() -> None:
    back = Event(7, Verb.TAKE_BACK, NOW, ALICE.id, Role.HANDLER, {"seq": 6})
    promises = [
        Event(seq, Verb.RESPOND, NOW, ALICE.id, Role.HANDLER, {"remedies": [{}]}, {"remedies.0.text": words})
        for seq, words in ((6, "Half of it"), (8, "All of it"))
    ]

    assert remedy_words_by_number([promises[0], back, promises[1]]) == {0: {"text": "All of it"}}


def test_the_closing_form_is_prefilled_with_the_cause_from_the_decision() -> None:
    fields = inputs(view_of("close", STAGES["accepted"]))

    assert fields["root_cause"]["element"]["initial_value"] == "Read twice"
    assert fields["cause_class"]["element"]["initial_option"]["value"] == "single"


def test_the_approval_form_shows_the_letter_and_the_complainants_words() -> None:
    texts = json.dumps(view_of("approve", STAGES["waits for approval"])["blocks"], ensure_ascii=False)

    assert "Dear Anna" in texts
    assert "My bill is wrong" in texts


def test_adding_a_row_keeps_the_input() -> None:
    view = view_of("decide", STAGES["investigating"])
    typed = {"type": "plain_text_input", "value": "We erred"}
    payload = {**view, "id": "V1", "state": {"values": {"issues.0.reasons": {"value": typed}}}}
    once = with_row(payload, "remedies")
    twice = with_row({**once, "state": {"values": {}}}, "remedies")

    assert view_problems(once, "modal") == []
    assert {"remedies.0.type", "remedies.1.type"} <= set(inputs(once))
    assert "remedies.2.type" in inputs(twice)
    assert inputs(once)["issues.0.reasons"]["element"]["initial_value"] == "We erred"


def test_rows_are_added_only_within_slacks_limit_of_blocks() -> None:
    view = view_of("decide", STAGES["investigating"])
    while (longer := with_row({**view, "state": {"values": {}}}, "remedies")) is not None:
        view = longer

    assert len(view["blocks"]) > 90
    assert view_problems(view, "modal") == []
    assert view_problems(with_notice(view, "Changed"), "modal") == []


def test_a_notice_keeps_the_input_and_carries_the_new_version() -> None:
    view = view_of("note", STAGES["received"])
    typed = {"text": {"value": {"type": "plain_text_input", "value": "Half a thought"}}}
    noticed = with_notice({**view, "state": {"values": typed}}, "Changed: Assigned", version=9)
    again = with_notice({**noticed, "state": {"values": {}}}, "Changed: Assessed", version=10)

    assert view_problems(noticed, "modal") == []
    assert json.loads(noticed["private_metadata"]) == {"ref": REF, "version": 9}
    assert inputs(noticed)["text"]["element"]["initial_value"] == "Half a thought"
    assert [block["block_id"] for block in again["blocks"]] == ["notice", "text"]


def test_the_input_is_read_as_facts_and_words() -> None:
    state: dict[str, Any] = {
        "category": {"value": {"type": "static_select", "selected_option": {"value": "money"}}},
        "severity": {"value": {"type": "radio_buttons", "selected_option": {"value": "2"}}},
        "safety": {"value": {"type": "radio_buttons", "selected_option": {"value": "0"}}},
        "complexity": {"value": {"type": "radio_buttons", "selected_option": {"value": "1"}}},
        "reach": {"value": {"type": "radio_buttons", "selected_option": {"value": "1"}}},
        "recurrence": {"value": {"type": "radio_buttons", "selected_option": {"value": "2"}}},
        "immediate_needed": {"value": {"type": "radio_buttons", "selected_option": {"value": "no"}}},
        "immediate_possible": {"value": {"type": "radio_buttons", "selected_option": None}},
        "compensation_likely": {"value": {"type": "checkboxes", "selected_options": [{"value": "yes"}]}},
        "issues.0.text": {"value": {"type": "plain_text_input", "value": None}},
        "issues.0.category": {"value": {"type": "static_select", "selected_option": None}},
    }
    facts, words = read("assess", values_of(state))

    assert facts["category"] == "money"
    assert facts["severity"] == 2
    assert facts["compensation_likely"] is True
    assert facts["issues"] == []
    assert words == {}


def test_a_notice_in_a_long_form_is_also_at_its_end_where_it_is_submitted() -> None:
    view = view_of("assess", STAGES["proposed"])
    noticed = with_notice({**view, "state": {"values": {}}}, "Changed: Assigned")
    again = with_notice({**noticed, "state": {"values": {}}}, "Changed: Assessed")

    assert view_problems(again, "modal") == []
    assert [again["blocks"][place]["text"]["text"] for place in (0, -1)] == ["Changed: Assessed"] * 2
    assert len(again["blocks"]) == len(view["blocks"]) + 2


CONTROL = st.sampled_from(
    ["<!channel>", "<@U1>", "<http://x|y>", "<#C1>", "&lt;!here&gt;", "<!subteam^S1>", "*b*"]
)
WRITTEN = st.lists(st.one_of(CONTROL, st.text(max_size=40)), max_size=8).map(" ".join)


@settings(max_examples=40, deadline=None)
@given(WRITTEN, WRITTEN, st.sampled_from([1, 3, 60]))
def test_complainants_text_never_becomes_markup_and_always_fits(text: str, name: str, times: int) -> None:
    story = proposed(Story(f"begin {text}"))
    opened = story.opened(name=name)
    many = tuple(Text(f"description.{n}", n, f"{text} {'x' * 4000}", NOW, None, None) for n in range(times))
    file = FileEntry(1, "photo", "image/jpeg", 3000, name, "fetched", "s", None, NOW)
    opened = replace(opened, texts=many, files=(file,))
    for page in (0, 1, 9):
        view = case_view(opened, voice(), now=NOW, page=page)
        assert view_problems(view, "modal") == []
        assert tokens(view["blocks"]) == []
    form = form_view(
        "assess",
        story.case,
        voice(),
        prefill("assess", FormStart(story.case, (), voice(), now=NOW, opened=opened)),
    )
    assert view_problems(form, "modal") == []
    assert tokens(form["blocks"]) == []


def tokens(blocks: Any) -> list[str]:
    """Control tokens in the mrkdwn of these blocks, except mentions of staff."""
    if isinstance(blocks, list):
        return [token for block in blocks for token in tokens(block)]
    if not isinstance(blocks, dict):
        return []
    if blocks.get("type") == "mrkdwn":
        text = blocks["text"].replace("<@U0000001>", "")
        return [text] if "<" in text or ">" in text.replace("\n> ", "") else []
    return [token for block in blocks.values() for token in tokens(block)]


@given(st.text(max_size=200), st.integers(min_value=10, max_value=120))
def test_escaped_text_is_cut_by_whole_entities(text: str, limit: int) -> None:
    result = escaped(text, limit)

    assert len(result) <= limit
    assert "<" not in result
    assert all(part.split(";")[0] in ("amp", "lt", "gt") for part in result.split("&")[1:])


@given(st.text(max_size=3000), st.integers(min_value=20, max_value=100))
def test_splitting_a_text_loses_no_word(text: str, limit: int) -> None:
    parts = pieces(text, limit)

    assert all(len(part) <= limit for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


def test_forty_messages_in_a_burst_are_one_line_in_the_thread() -> None:
    story = Story()
    case, received_at = story.case, story.at
    for _ in range(40):
        story.at = story.at.replace(second=0)
        story.act(Verb.ADD, ANNA, message_facts(field="description", has_words=True), {"description": "more"})
    events = [replace(event, at=received_at) for event in story.events]
    lines = [thread_line(events, event.seq, case, voice()) for event in events[1:]]

    assert (
        next(line for line in lines if line is not None)[0] == "The complainant wrote · messages: 40 · 10:00"
    )
    assert len([line for line in lines if line is not None]) == 1


def test_what_the_form_took_out_of_the_story_is_not_counted_as_a_message() -> None:
    story = Story()
    facts = {**message_facts(field="where_and_when", has_words=True), "from_story": True}
    story.act(Verb.ADD, ANNA, facts, {"where_and_when": "12 November"})

    assert thread_line(story.events, story.events[-1].seq, story.case, voice()) is None


def test_an_unblocked_chat_is_reported_in_the_thread_and_not_counted_as_a_message() -> None:
    story = Story()
    story.act(Verb.FAIL_DELIVERY, SYSTEM, {"because": "blocked"}, {})
    story.act(Verb.ADD, ANNA, message_facts(field="returned", has_words=False, kind="returned"), {})
    line = thread_line(story.events, story.events[-1].seq, story.case, voice())

    assert line is not None
    assert line[0].startswith("Can be written to again; what did not arrive is sent again · the complainant")


def test_every_message_of_the_complainant_is_named_for_what_it_was() -> None:
    story = proposed(Story())
    kinds: list[dict[str, Any]] = [
        {"field": "addition"},
        {"field": "question", "kind": "question"},
        {"field": "returned", "kind": "returned"},
        {"field": "addition", "replaces": 1},
    ]
    for facts in kinds:
        story.act(Verb.ADD, ANNA, message_facts(has_words=True, **facts), {facts["field"]: "words"})
    story.act(Verb.ANSWER, ANNA, message_facts(field="answer", has_words=True), {"answer": "words"})
    view = json.dumps(case_view(story.opened(), voice(), now=NOW)["blocks"])
    lines = [event_line(event, story.case, voice()).partition(" · ")[0] for event in story.events[2:]]

    assert lines == [
        "Added to",
        "Question asked",
        "Can be written to again; what did not arrive is sent again",
        "Message changed",
        "Answer received",
    ]
    assert view.count("Can be written to again") == 1


@pytest.mark.parametrize(
    ("state", "reason", "label"),
    [
        ("sending", None, "being sent"),
        ("sent", None, "accepted by the channel"),
        ("uncertain", "no answer", "perhaps delivered: the channel did not answer"),
        ("failed", "blocked", "not delivered: blocked"),
        ("told", None, "told by a person"),
    ],
)
def test_every_message_to_the_complainant_shows_how_far_it_got(
    state: str, reason: str | None, label: str
) -> None:
    message = {"direction": "out", "at": NOW, "text": "Dear Anna", "state": state, "reason": reason}
    opened = replace(STAGES["assessed"].opened(), messages=(message,))
    texts = [
        block["text"]["text"] for block in case_view(opened, voice(), now=NOW)["blocks"] if "text" in block
    ]

    assert f"Tue 3 Nov, 10:00 · we wrote · {label}\nDear Anna" in texts


def test_a_line_in_the_thread_contains_no_words_of_the_complainant() -> None:
    story = STAGES["waits for approval"]

    assert [event_line(event, story.case, voice()) for event in story.events][1:3] == [
        "Assessed · <@U0000001> · Tue 3 Nov, 10:01",
        "Investigated · <@U0000001> · Tue 3 Nov, 10:02",
    ]


def test_a_notice_is_a_valid_view() -> None:
    assert view_problems(notice_view("Done already.", voice()), "modal") == []
    assert message_problems([]) == []
