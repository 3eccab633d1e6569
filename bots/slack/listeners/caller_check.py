"""What a caller may learn once they are identified: the stage of the complaint and the next date (4.7)."""

from bots.slack.client.block_kit import actions, button, section
from bots.slack.context import SlackContext
from bots.slack.payloads import FormSubmission
from bots.slack.responses import Response, update_view
from bots.slack.router import Router
from bots.slack.staff_texts import StaffTexts
from bots.slack.views.form_inputs import input_blocks, values_of
from bots.slack.views.form_modals import View, metadata, modal, notice_view
from complaints.actions.authorisation import Access, is_allowed
from complaints.actors import Actor
from complaints.case import Case
from complaints.errors import BadFacts, NotAllowed
from complaints.forms import DESK_FORMS
from complaints.vocabulary import State, Target
from store.people.identification import load_case_for_caller

CALLBACK = "stage"
FIELD = "proof"
#: The dates that a complainant was given; the next of them is shown.
_PROMISED = frozenset({Target.DECIDE, Target.REMEDY, Target.LAPSE})
router = Router()


def sees_only_the_stage(actor: Actor) -> bool:
    """People who only take calls see the stage of a complaint, and none of its words."""
    return is_allowed(None, Access.STAGE, actor) and not is_allowed(None, Access.READ, actor)


@router.view(CALLBACK)
async def show_stage(submission: FormSubmission, actor: Actor, slack: SlackContext) -> Response:
    """Show the stage if the caller gave what is on file; the store records every attempt."""
    proof = str(values_of(submission.view["state"]["values"]).get(FIELD) or "")
    try:
        case = await slack.store.awrite(load_case_for_caller, submission.metadata.ref, actor, proof)
    except NotAllowed as refusal:
        # The text belongs at the only field of the form.
        raise BadFacts(str(refusal), code=refusal.code, field=FIELD) from refusal
    return update_view(stage_view(case, slack.texts))


def question_view(ref: str, texts: StaffTexts) -> View:
    """Asks what the caller gave in addition to the reference."""
    blocks = [section(texts.text("stage.ask", ref=ref)), *input_blocks(DESK_FORMS[CALLBACK].fields, texts)]
    return modal(texts, CALLBACK, metadata(ref, 0), blocks, title="stage.title", submit="stage.check")


def stage_view(case: Case, texts: StaffTexts) -> View:
    """The stage in plain words and the next promised date, with a button for a note."""
    view = notice_view(stage_text(case, texts), texts, title="stage.title", ref=case.ref)
    row = actions(f"actions:{case.work_version}.0", [button(texts.text("verb.note"), "case.note", case.ref)])
    return {**view, "blocks": [*view["blocks"], row]}


def stage_text(case: Case, texts: StaffTexts) -> str:
    """Reference, when it came, its state and the next promised date; none of the complainant's words."""
    zone = case.rules.calendar.zone
    promised = [
        target for target in case.current_targets() if target.met_at is None and target.target in _PROMISED
    ]
    nearest = min(promised, key=lambda target: target.promised_due, default=None)
    next_date = texts.text("stage.nothing")
    if nearest is not None and case.state is not State.CLOSED:
        name = texts.text(f"target.{nearest.target.value}")
        next_date = texts.text("stage.by", target=name, when=texts.due_time(nearest.promised_due, zone))
    return texts.text(
        "stage.told",
        ref=case.ref,
        received=texts.moment(case.received_at, zone),
        state=texts.text(f"state.{case.state.value}"),
        by=next_date,
    )
