"""The complaints policy in the complainant's language (5.2, 4.2): one text for the bot and for the public page."""

from __future__ import annotations

from collections.abc import Mapping

from bots.texts import Texts
from complaints.rulebook import Rulebook


def policy_fields(language: str, rules: Rulebook, texts: Texts) -> Mapping[str, str]:
    """What the settings put into the text `policy`, its version among them: the rules in force."""
    bodies = texts.together(language, [one.body for one in rules.recourse])
    notice = texts.say(language, "readback.notice", notice=rules.notice) if rules.notice else ""
    return {
        "org": rules.organisation,
        "levels": texts.count(language, "how.levels", rules.top_level),
        "bodies": bodies or texts.say(language, "how.no_body"),
        "ack": texts.span(language, rules.targets.ack),
        "answer": texts.span(language, rules.targets.legal or rules.targets.by_priority["P4"].decide),
        "version": rules.edition[:8],
        "notice": f"\n\n{notice}" if notice else "",
    }
