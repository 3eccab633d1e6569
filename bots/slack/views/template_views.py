"""Templates of letters in Slack: the menu in a form, the list for those who may change them, and their form."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bots.letters.suggestions import template_values
from bots.slack.client.block_kit import (
    MODAL_BLOCKS,
    Block,
    actions,
    button,
    context,
    escaped,
    option,
    plain,
    section,
)
from bots.slack.staff_texts import StaffTexts
from bots.slack.views.form_inputs import another_input, changed_hint, input_blocks, typed_blocks
from bots.slack.views.form_modals import View, modal, resendable
from complaints.case import Case
from complaints.forms import DESK_FORMS, FORMS
from complaints.letter_texts import FIELDS, FILLED, LetterTemplate, fill_template, fits
from complaints.rulebook import Rulebook, categories_of
from complaints.vocabulary import Finding

FORM, LIST = "template", "templates"
#: Options of a menu in Slack at most.
_OPTIONS = 100


def template_options(rules: Rulebook) -> dict[str, tuple[str, ...]]:
    """The choices of the form of a template that depend on the desk."""
    return {"form": tuple(FILLED), "language": rules.languages, "category": categories_of(rules)}


def template_menu(
    form: str, case: Case, templates: Sequence[tuple[LetterTemplate, int, int]], texts: StaffTexts
) -> list[Block]:
    """A menu of the templates that fit, those for the category and those used most first; nothing without one."""
    values = template_values(form, case, texts.catalogue)
    fitting = [entry for entry in templates if fits(entry[0], form, case, values)]
    fitting.sort(key=lambda entry: (not entry[0].category, -entry[1], entry[0].name))
    if not fitting:
        return []
    options = [option(template.code, _label(template, texts)) for template, _, _ in fitting[:_OPTIONS]]
    placeholder = plain(texts.text("modal.choose"), 150)
    menu = {"type": "static_select", "action_id": "template", "options": options, "placeholder": placeholder}
    return [section(texts.text("template.choose"), block_id="template", accessory=menu)]


def with_template(
    view: Mapping[str, Any], template: LetterTemplate, case: Case, texts: StaffTexts
) -> View | None:
    """The form with the filled text in its field, and the finding of the template; None if it is on another page.

    Slack keeps what was typed into an input with the same ids, so the input gets another action id.
    """
    form, blocks = FORMS[template.form], typed_blocks(view)
    if all(block.get("block_id") != form.template_fills for block in blocks):
        return None
    words = fill_template(template.text, template_values(template.form, case, texts.catalogue))
    values = {form.template_finds: template.outcome, form.template_fills: words}
    for place, block in enumerate(blocks):
        path = str(block.get("block_id"))
        if value := values.get(path):
            blocks[place] = another_input(block, path, value, template=template.code)
        if path == form.template_fills:
            blocks[place].pop("hint", None)
            blocks[place] |= changed_hint(words, block["element"]["max_length"], texts)
    stored = {**json.loads(view["private_metadata"]), "template": template.code}
    metadata = json.dumps(stored, separators=(",", ":"))
    return {**resendable(view), "blocks": blocks, "private_metadata": metadata}


def list_view(
    templates: Sequence[tuple[LetterTemplate, int, int]], texts: StaffTexts, first: int = 0
) -> View:
    """The templates from this one on with their figures, each with a button that opens it; retired ones are last."""
    new = button(texts.text("template.new"), "home.template", "0", style="primary")
    blocks: list[Block] = [actions("template.new", [new])]
    following = first + MODAL_BLOCKS - 2
    for template, used, edited in sorted(templates, key=lambda entry: entry[0].is_retired)[first:following]:
        facts = [texts.text(f"verb.{template.form}"), template.language]
        facts += [texts.text(f"category.{template.category}")] if template.category else []
        facts += [texts.text("template.retired")] if template.is_retired else []
        figures = texts.text("template.figures", version=template.version, used=used, edited=edited)
        line = f"*{escaped(_label(template, texts), 200)}* · {' · '.join(facts)}\n{figures}"
        edit = button(texts.text("template.edit"), "home.template", template.code)
        blocks.append(section(line, block_id=f"template.{template.number}", accessory=edit))
    if len(templates) > following:
        more = button(texts.text("modal.next_page"), "home.templates", str(following))
        blocks.append(actions("template.more", [more]))
    return modal(texts, LIST, "{}", blocks, title="template.title")


def edit_view(template: LetterTemplate | None, rules: Rulebook, texts: StaffTexts) -> View:
    """The form of one template, new without one."""
    initial: dict[str, Any] = {}
    if template is not None:
        initial = {name: getattr(template, name) or None for name in ("name", "form", "language", "text")}
        initial |= {"category": template.category or None, "outcome": template.outcome or None}
        initial["retired"] = template.is_retired
    options = template_options(rules)
    choices = {
        "form": texts.choices("verb", options["form"]),
        "language": tuple((code, texts.language_name(code)) for code in options["language"]),
        "category": texts.choices("category", options["category"]),
        "outcome": texts.choices("finding", Finding),
    }
    inputs = input_blocks(DESK_FORMS[FORM].fields, texts, initial, choices)
    fields = context(texts.text("template.fields", fields=", ".join(f"{{{name}}}" for name in FIELDS)))
    metadata = json.dumps({"template": "0" if template is None else template.code})
    blocks = [*inputs, fields]
    return modal(texts, FORM, metadata, blocks, title="template.title", submit="modal.preview")


def preview_text(words: str, texts: StaffTexts) -> str:
    """The text with an example in each field, as staff check it before it is saved."""
    return fill_template(words, {name: texts.text(f"template.example_{name}") for name in FIELDS})


def _label(template: LetterTemplate, texts: StaffTexts) -> str:
    outcome = f" ({texts.text(f'finding.{template.outcome}')})" if template.outcome else ""
    return f"{template.name}{outcome}"
