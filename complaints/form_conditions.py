"""The conditions that forms.toml names: when a field is asked or required, and when an act of a card is of use."""

from collections.abc import Callable, Mapping
from operator import attrgetter

from complaints.case import Case
from complaints.vocabulary import Flag, Target


def _media_are_unheard(case: Case) -> bool:
    return (case.only_in_media and not case.media_heard) or "media_unheard" in case.flags


def _privacy_is_due(case: Case) -> bool:
    clock = case.target(Target.PRIVACY)
    return clock is not None and clock.met_at is None


def _receipt_is_missing(case: Case) -> bool:
    significant = Flag.SIGNIFICANT in case.flags and case.executive_receipt_at is None
    return case.unseen_alarm is not None or significant


def _target_can_move(case: Case) -> bool:
    movable = (Target.DECIDE, Target.REMEDY, Target.FIRST_ACTION)
    return any(target.target in movable and target.met_at is None for target in case.current_targets())


_CONDITIONS: Mapping[str, Callable[[Case], object]] = {
    "always": lambda case: True,
    "never": lambda case: False,
    "draft_is_checked": lambda case: case.drafted is not None and case.drafted.checked,
    "has_later_clocks": lambda case: any(clock.after for clock in case.rules.targets.clocks),
    "has_signs_or_assessment": lambda case: case.signs or case.assessment is not None,
    "is_for_another": lambda case: Flag.FOR_ANOTHER in case.flags,
    "is_held": lambda case: Flag.LEGAL_HOLD in case.flags,
    "is_open_or_in_incident": lambda case: case.is_open or case.incident is not None,
    "is_open_or_offline": lambda case: case.is_open or case.is_offline,
    "may_be_incomplete": lambda case: (
        case.rules.targets.completion is not None and case.incomplete_at is None
    ),
    "media_are_unheard": _media_are_unheard,
    "only_in_media_unheard": lambda case: case.only_in_media and not case.media_heard,
    "privacy_is_due": _privacy_is_due,
    "receipt_is_missing": _receipt_is_missing,
    "remedy_is_due": lambda case: any(remedy.done_at is None for remedy in case.owed_remedies),
    "remedy_is_unverified": lambda case: any(
        remedy.done_at and not remedy.verified_at for remedy in case.owed_remedies
    ),
    "target_can_move": _target_can_move,
}
#: The only condition that also depends on the language of staff.
_IN_ANOTHER_LANGUAGE = "is_in_another_language"


def holds(condition: str, case: Case, staff_language: str = "") -> bool:
    """Does the complaint fulfil this: a condition above, or a path of attributes, true or not empty?

    `not ` before it is the opposite.
    """
    name = condition.removeprefix("not ")
    if name == _IN_ANOTHER_LANGUAGE:
        return case.language != staff_language
    value = _CONDITIONS[name](case) if name in _CONDITIONS else attrgetter(name)(case)
    return bool(value) is not condition.startswith("not ")
