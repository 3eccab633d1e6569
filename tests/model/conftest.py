"""Fixtures of the model's tests."""

from __future__ import annotations

import pytest

from tests.model.shared_models import share


@pytest.fixture(scope="session", autouse=True)
def shared_models(tmp_path_factory: pytest.TempPathFactory) -> None:
    """One folder for all workers of a run; pytest removes it some runs later."""
    worker_folder = tmp_path_factory.getbasetemp()
    run = next(
        folder_above
        for folder_above in (worker_folder, *worker_folder.parents)
        if folder_above.name.startswith("pytest-")
    )
    folder = run / "starter-models"
    folder.mkdir(exist_ok=True)
    share(folder)
