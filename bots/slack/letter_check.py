"""The warnings for what staff typed, before its letter is sent (4.7, 5.1, 7.8)."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from itertools import chain
from typing import Any

from bots.slack.context import SlackContext
from bots.slack.views.refusals import Warned
from complaints.actions.authorisation import is_allowed
from complaints.actors import Actor
from complaints.case import Case
from complaints.errors import BadFacts
from complaints.forms import FORMS, NO_PAYMENT
from complaints.vocabulary import Verb
from store.people.masked_texts import find_others_data
from triage.facts.stated_amounts import require_amounts
from triage.letters.letter_warnings import find_warnings

#: Facts that give the letter the day of what it promises.
_DAYS = ("next_date", "extended_to", "remedies", "promised_by_date")


def with_amounts(form: str, case: Case, facts: dict[str, Any], words: Mapping[str, str]) -> dict[str, Any]:
    """The facts where every sum in the words is an amount, or is stated to be no payment. Raises BadFacts."""
    may_pay = {"type", "amount"} <= FORMS[form].names
    asks = may_pay and ("type" in facts or case.asks_for_money)
    if asks and not facts.keys() & {"amount", NO_PAYMENT}:
        raise BadFacts.worded("required:amount", field="amount")
    if not FORMS[form].checks_sums:
        return facts
    # The proof of a remedy may name what was promised.
    granted = asdict(case.remedies[int(facts["remedy"])]) if "remedy" in facts else facts
    return require_amounts(facts, words, case.rules.country, granted)


async def check_letter(
    slack: SlackContext,
    form: str,
    case: Case,
    actor: Actor,
    facts: Mapping[str, Any],
    words: Mapping[str, str],
    *,
    approval: bool = False,
) -> tuple[Warned, ...]:
    """The warnings for a filled-in form; with `approval` a manager reads it before it is sent."""
    read = FORMS[form].read_by_complainant
    text = "\n".join(text for path, text in words.items() if path.rpartition(".")[2] in read)
    if not text:
        return ()
    warned = await check_text(slack, text, case, actor, case.language, approval=approval)
    return _with_facts(warned, facts)


async def check_text(
    slack: SlackContext, text: str, case: Case, actor: Actor, language: str, *, approval: bool = False
) -> tuple[Warned, ...]:
    """The warnings for a text in this language to the complainant of this case."""
    personal = await slack.store.aread(find_others_data, case.ref, text)
    # Who may approve a decision may also accept liability in it.
    may_admit = approval or is_allowed(None, Verb.APPROVE, actor)
    # In a thread: the first call compiles the rules and loads the language model, which takes seconds.
    warnings = await asyncio.to_thread(
        find_warnings, text, language=language, may_admit=may_admit, personal=personal,
        writes_in=case.written_in,
    )  # fmt: skip
    return tuple((warning.code, text[slice(*warning.span)]) for warning in warnings)


async def check_texts_to_all(
    slack: SlackContext, facts: Mapping[str, Any], words: Mapping[str, str], case: Case, actor: Actor
) -> tuple[Warned, ...]:
    """The warnings for a form about all complaints of an incident, of which `case` is one.

    Only texts with a language (`reasons.de`) are read by complainants. Raises BadFacts.
    """
    facts = require_amounts(facts, words, case.rules.country)
    texts = [(text, language) for path, text in words.items() if (language := path.partition(".")[2])]
    warned = [await check_text(slack, text, case, actor, language) for text, language in texts]
    return _with_facts(chain.from_iterable(warned), facts)


def _with_facts(warned: Iterable[Warned], facts: Mapping[str, Any]) -> tuple[Warned, ...]:
    """The warnings but those that a day in the facts settles, and one about sums that are stated to be no payment."""
    has_day = any(facts.get(name) for name in _DAYS)
    stated = [(NO_PAYMENT, ", ".join(facts[NO_PAYMENT]))] if facts.get(NO_PAYMENT) else []
    kept = ((code, cause) for code, cause in warned if not (has_day and code == "promise_without_date"))
    return (*kept, *stated)
