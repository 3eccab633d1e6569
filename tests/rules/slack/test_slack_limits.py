"""What staff see of a very large case, and of a very large desk, stays within Slack's limits.

A hundred issues, sixty long messages, fifty files, forty similar cases, two hundred members. The forms of a hundred
issues are in test_form_pages.py.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest

from bots.slack.client.refused_blocks import NEW_KINDS, drawn
from bots.slack.jobs.digest import FOR_ABSENT, DigestContent, digest_message
from bots.slack.listeners.search_view import search_form
from bots.slack.views.card import EXECUTIVE, RESTRICTED, card
from bots.slack.views.command_replies import policy_blocks
from bots.slack.views.form_modals import View, form_view, notice_view, with_notice
from bots.slack.views.open_form import next_preview_page, preview_view
from bots.slack.views.opened_case import dates_view, model_view
from complaints.rulebook import RecourseStep
from complaints.similarity import SimilarCase, SimilarCluster
from complaints.vocabulary import Category, Verb
from simulator.slack.block_kit import message_problems, view_problems
from store.record.worklists import CaseChanges, Worklist
from store.values import Delivery, DeliveryStatus, EarlierRead, FailedObligation, FileEntry, OpenedCase
from tests.rules.letters.test_case_timeline import LONG, all_pages, with_texts, written
from tests.rules.slack_cases import (
    ALICE,
    NOW,
    RULES,
    SHOWING_STORY,
    Story,
    filled_in,
    investigated,
    proposed,
    voice,
)

#: A name of one word that has no place to break.
NAME = "W" * 250
MEMBERS = [f"U{number:010}" for number in range(200)]
SURFACES = {"all": NEW_KINDS, "none": frozenset[str]()}


@cache
def a_large_case() -> tuple[Story, OpenedCase]:
    story = proposed(Story(f"The story. {LONG}"))
    facts = {"category": "money", "severity": 2, "safety": 0, "complexity": 1, "reach": 1, "recurrence": 2,
             "immediate_needed": "no", "issues": [{"category": "money"}] * 100}  # fmt: skip
    story.act(Verb.ASSESS, ALICE, facts, {f"issues.{n}.text": LONG for n in range(100)})
    investigated(story)
    for number in range(60):
        story.act(Verb.NOTE, ALICE, {}, {"text": f"{number} {LONG[:2000]}"})
    files = [
        FileEntry(
            number, "document", "application/pdf", 10**7, f"{NAME}.pdf", "fetched", "telegram", None, NOW
        )
        for number in range(50)
    ]
    opened = with_texts(story, *written(*(f"message {n}. {LONG}" for n in range(60))))
    similar = [
        {"ref": f"A7K-M3Q-{n:02}", "category": "money", "severity": 2, "likeness": 0.9} for n in range(40)
    ]
    matters = [{"text": LONG[:220], "category": "money"} for _ in range(100)]
    words = [{"word": "ж" * 300, "weight": 1.0}] * 100
    proposal = {**(opened.proposal or {}), "similar": similar, "issues": matters, "because": words}
    reads = tuple(EarlierRead(member, NOW) for member in MEMBERS)
    cases = tuple(
        SimilarCase(f"A7K-M3Q-{n:02}", 0.9, "p2", NOW - timedelta(days=1), is_open=True) for n in range(40)
    )
    return story, replace(
        opened, files=tuple(files), proposal=proposal, similar_cases=cases, earlier_reads=reads,
        complainant_name=NAME * 20, support_needs=LONG * 2,
    )  # fmt: skip


def deliveries() -> list[Delivery]:
    return [Delivery(n, "acknowledge", DeliveryStatus.GIVEN_UP, NOW, True, None, NOW) for n in range(60)]


def views() -> dict[str, View]:
    """Views about the case, and those of a search."""
    story, opened = a_large_case()
    texts, case = voice(), story.case
    shown = {"model": model_view(opened, texts, now=NOW)}
    shown |= {f"opened {number}": page for number, page in enumerate(all_pages(opened))}
    shown |= {f"dates {n}": dates_view(case, story.events, texts, now=NOW, page=n) for n in range(3)}
    for form in sorted({*SHOWING_STORY, "assess", "assign", "link"}):
        start = filled_in(form, opened, texts, events=story.events, waiting_letter=f"{LONG} " * 40)
        shown[form] = form_view(form, case, texts, start)
        shown[f"{form} refused"] = with_notice(shown[form], f"{NAME * 5}\n" * 9)
    letter = f"{LONG} " * 80
    warned = "\n".join(f":warning: {NAME[:size]}" for size in (50, 250))
    preview = preview_view("reply", case, letter, "1", texts, warnings=warned, unread_at=NOW, leaves_at=NOW)
    shown |= {"preview": preview, "its next page": next_preview_page(preview, letter, texts)}
    shown["notice"] = notice_view(f"{NAME}\n{NAME[:100]}", texts)
    shown["search"] = search_form(
        [f"own_{n}" for n in range(80 + len(Category))], SimpleNamespace(text=lambda *_, **__: NAME)
    )  # type: ignore[arg-type]
    return shown


@pytest.mark.parametrize("kinds", SURFACES)
def test_every_view_of_a_very_large_case_is_accepted(kinds: str) -> None:
    problems = {
        name: view_problems({**view, "blocks": drawn(view["blocks"], SURFACES[kinds])}, "modal")
        for name, view in views().items()
    }

    assert {name: found for name, found in problems.items() if found} == {}


def messages() -> dict[str, list[dict[str, Any]]]:
    """The cards of the case, what managers get in the morning of two hundred people, and the policy."""
    story, opened = a_large_case()
    texts, case = voice(), story.case
    drawings = {
        purpose: card(
            case, texts, now=NOW, draw=9, purpose=purpose, is_working_place=True, similar=opened.similar_cases,
            deliveries=deliveries(), subject=NAME, events=story.events * 20,
        ).blocks
        for purpose in ("card", RESTRICTED, EXECUTIVE)
    }  # fmt: skip
    owned = replace(case, owner=MEMBERS[0])
    page = Worklist((owned,) * 8, 500)
    parts = dict.fromkeys(("overdue", "today", "next", "unassigned", "waiting", "unchecked"), page)
    content = DigestContent(
        {**parts, **{f"{FOR_ABSENT}{member}": page for member in MEMBERS[:60]}},
        clusters=tuple(SimilarCluster(40, tuple(f"A7K-M3Q-{n:02}" for n in range(40))) for _ in range(5)),
        failed=tuple(FailedObligation(n, case.ref, NAME, NOW, False) for n in range(8)),
        changes=tuple(CaseChanges(owned, (Verb.NOTE,) * 40, 400) for _ in range(8)),
    )
    few = replace(content, parts=parts)
    bodies = tuple(RecourseStep(NAME, NAME * 2, NAME, free=True) for _ in range(12))
    drawings |= {
        "digest of many": digest_message(content, texts, NOW, "UTC").blocks,
        "digest": digest_message(few, texts, NOW, "UTC").blocks,
        "policy": policy_blocks(replace(RULES, recourse=bodies), texts),
    }
    return drawings


@pytest.mark.parametrize("kinds", SURFACES)
def test_every_message_about_a_very_large_case_or_desk_is_accepted(kinds: str) -> None:
    problems = {name: message_problems(drawn(blocks, SURFACES[kinds])) for name, blocks in messages().items()}

    assert {name: found for name, found in problems.items() if found} == {}
