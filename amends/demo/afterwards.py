"""What followed in the demo's past: talk, dates, remedies, levels, outside bodies, endings, surveys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from amends.demo.doing import MONA, TUGBA, Doing, Life
from complaints.people import complainant
from complaints.vocabulary import Target, Verb
from store import acting
from store.transactions import Tx

_SAID: Mapping[str, Mapping[str, str]] = {
    "reply": {
        "en": "We have read all of it and are looking into it; you hear from us again this week.",
        "tr": "Hepsini okuduk ve inceliyoruz; bu hafta içinde size yeniden yazacağız.",
    },
    "ask": {
        "en": "Could you send us the date on the letter that you mention?",
        "tr": "Sözünü ettiğiniz mektubun tarihini bize yazar mısınız?",
    },
    "answer": {"en": "The letter is of the 2nd of this month.", "tr": "Mektup bu ayın 2'sinde yazılmış."},
    "extend": {
        "en": "Our supplier's records come only next week.",
        "tr": "Tedarikçimizin kayıtları ancak gelecek hafta geliyor.",
    },
    "skip": {"en": "Skip", "tr": "Geç"},
}


def _remedy(doing: Doing, tx: Tx, life: Life) -> None:
    for one in doing.case(tx, life).owed_remedies:
        if one.done_at is None:
            done = {"remedy": str(one.n), "done_at": tx.now.isoformat().replace("+00:00", "Z")}
            doing.act(
                tx,
                life,
                "remedy",
                Verb.REMEDY_DONE,
                doing.judge(tx, life),
                done,
                {"proof": "Job sheet, signed"},
            )


def _verify(doing: Doing, tx: Tx, life: Life) -> None:
    for one in doing.case(tx, life).owed_remedies:
        if one.done_at is not None and one.verified_at is None:
            by = TUGBA if one.done_by == MONA.id else MONA
            facts, words = {"remedy": str(one.n)}, {"how": "Called and looked"}
            doing.act(tx, life, "verify", Verb.VERIFY, by, facts, words)


def _close(doing: Doing, tx: Tx, life: Life) -> None:
    words = {"root_cause": "Records of two systems did not agree."}
    doing.act(tx, life, "close", Verb.CLOSE, MONA, {"cause_class": "single"}, words)


def _by_complainant(verb: Verb) -> Callable[[Doing, Tx, Life], None]:
    def act(doing: Doing, tx: Tx, life: Life) -> None:
        person = complainant(doing.case(tx, life).complainant)
        acting.act(tx, life.ref, verb, person, {}, {})

    return act


def _review(doing: Doing, tx: Tx, life: Life) -> None:
    by = doing.judge(tx, life)
    doing.act(tx, life, "take", Verb.ASSIGN, by, {"owner": by.id}, {})
    doing.steps["investigate"](doing, tx, life)
    doing.steps["decide_not_upheld"](doing, tx, life)
    doing.steps["approve"](doing, tx, life)


def _reclassify(doing: Doing, tx: Tx, life: Life) -> None:
    words = {"reason": "Praises us and asks for nothing."}
    doing.act(tx, life, "reclassify", Verb.RECLASSIFY, doing.judge(tx, life), {"kind": "praise"}, words)


def _reply(doing: Doing, tx: Tx, life: Life) -> None:
    words = {"text": _SAID["reply"][life.language]}
    doing.act(tx, life, "reply", Verb.REPLY, doing.judge(tx, life), {"language_confirmed": True}, words)


def _ask(doing: Doing, tx: Tx, life: Life) -> None:
    facts = {"needed_by": (tx.now + timedelta(days=5)).date().isoformat(), "language_confirmed": True}
    words = {"text": _SAID["ask"][life.language]}
    doing.act(tx, life, "ask", Verb.ASK, doing.judge(tx, life), facts, words)


def _answer(doing: Doing, tx: Tx, life: Life) -> None:
    doing.say(tx, life, _SAID["answer"][life.language])


def _extend(doing: Doing, tx: Tx, life: Life) -> None:
    """A manager moves the decision by two days, where the date and its caps allow it."""
    target = doing.case(tx, life).target(Target.DECIDE)
    if target is None:
        return
    later = {"target": "decide", "extended_to": (target.internal_due + timedelta(days=2)).date().isoformat()}
    doing.act(tx, life, "extend", Verb.EXTEND, MONA, later, {"reason": _SAID["extend"][life.language]})


def _outside(doing: Doing, tx: Tx, life: Life) -> None:
    words = {"body": "Consumer ombudsman", "external_ref": f"CO-{4000 + life.number}"}
    doing.act(tx, life, "external", Verb.NOTIFY_EXTERNAL, MONA, {"event": "notified"}, words)


def _overturned(doing: Doing, tx: Tx, life: Life) -> None:
    comply_by = (tx.now + timedelta(days=20)).date().isoformat()
    words = {"body": "Consumer ombudsman", "outcome": "Pay back 60.00 GBP and apologise."}
    facts = {"event": "final", "comply_by": comply_by}
    doing.act(tx, life, "external", Verb.CONCLUDE_EXTERNAL, MONA, facts, words)


def _reopen(doing: Doing, tx: Tx, life: Life) -> None:
    words = {"reason": "The same fault came back within a week."}
    doing.act(tx, life, "reopen", Verb.REOPEN, MONA, {}, words)


def _survey(doing: Doing, tx: Tx, life: Life) -> None:
    """The questions that came some days after the end; how content somebody is differs from life to life."""
    content = 5 - life.number // 2 % 3
    for at in range(5):
        doing.say(tx, life, str(max(1, content - (at % 2))))
    doing.say(tx, life, _SAID["skip"][life.language])


AFTERWARDS: Mapping[str, Callable[[Doing, Tx, Life], None]] = {
    "reply": _reply,
    "ask": _ask,
    "answer": _answer,
    "extend": _extend,
    "accept": _by_complainant(Verb.ACCEPT),
    "disagree": _by_complainant(Verb.DISAGREE),
    "withdraw": _by_complainant(Verb.WITHDRAW),
    "remedy": _remedy,
    "verify": _verify,
    "close": _close,
    "review": _review,
    "reclassify": _reclassify,
    "outside": _outside,
    "overturned": _overturned,
    "reopen": _reopen,
    "survey": _survey,
}
