"""A model whose categories have other names: an organisation's own labels become the categories of its desk."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from triage.model.pipeline import Model


def rename_categories(model: Model, names: Mapping[str, str]) -> Model:
    """The same model with these categories renamed, also in its facts; `names` map old to new, one to one.

    Raises ValueError where two categories would get the same name: probabilities of two cannot be read as one.
    """
    categories = tuple(names.get(category, category) for category in model.categories)
    if len(set(categories)) < len(categories):
        raise ValueError("two categories would get the same name")
    facts = {**model.facts, **_renamed(model.facts, names)}
    if facts.get("evaluation"):
        facts["evaluation"] = {**facts["evaluation"], **_renamed(facts["evaluation"], names)}
    neighbours = model.neighbours
    if neighbours is not None:
        of_cases = tuple(names.get(category, category) for category in neighbours.categories)
        neighbours = replace(neighbours, categories=of_cases)
    # A proposal names its model by the version alone, and this one gives other answers.
    inputs = json.dumps([model.version, sorted(names.items())])
    return replace(
        model,
        version=hashlib.sha256(inputs.encode()).hexdigest()[:12],
        categories=categories,
        neighbours=neighbours,
        facts={**facts, "renamed": dict(names)},
    )


def _renamed(facts: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The facts by category under the new names."""
    tables = {key: facts[key] for key in ("categories", "f1") if isinstance(facts.get(key), Mapping)}
    return {
        key: {names.get(category, category): value for category, value in table.items()}
        for key, table in tables.items()
    }
