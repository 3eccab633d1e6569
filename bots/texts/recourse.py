"""The outside bodies as complainants read them: how to reach each, its form, its cost and its time limit (7.9)."""

from bots.texts.texts import Texts
from complaints.rulebook import RecourseStep, Rulebook


def body_list(texts: Texts, language: str, rules: Rulebook) -> str:
    """A line for each outside body; empty if there is none."""
    steps = enumerate(rules.recourse, start=1)
    return "\n".join(body_line(texts, language, number, step) for number, step in steps)


def body_line(texts: Texts, language: str, number: int, step: RecourseStep) -> str:
    """`describe_body` with its number in the list."""
    return f"{number}. {describe_body(texts, language, step)}"


def describe_body(texts: Texts, language: str, step: RecourseStep) -> str:
    """Only what the settings hold about the body; nothing is guessed."""
    sentences = [f"{texts.body(language, step.body).rstrip('.')}."]
    if step.contact:
        sentences.append(f"{step.contact.rstrip('.')}.")
    if step.form:
        sentences.append(texts.text(language, "recourse.form", form=step.form.rstrip(".")))
    if step.free:
        sentences.append(texts.text(language, "recourse.free"))
    elif step.cost:
        sentences.append(texts.text(language, "recourse.cost", cost=step.cost.rstrip(".")))
    else:
        sentences.append(texts.text(language, "recourse.paid"))
    if step.limit:
        limit = texts.limit(language, step.limit)
        sentences.append(texts.text(language, "recourse.limit", limit=limit))
    return " ".join(sentences)
