"""What the tests of the model share."""

from __future__ import annotations

import pytest

from tests.model.made_once import share


@pytest.fixture(scope="session", autouse=True)
def shared_models(tmp_path_factory: pytest.TempPathFactory) -> None:
    """One folder for all workers of a run; pytest itself takes it away some runs later."""
    own = tmp_path_factory.getbasetemp()
    run = next(one for one in (own, *own.parents) if one.name.startswith("pytest-"))
    folder = run / "starter-models"
    folder.mkdir(exist_ok=True)
    share(folder)
