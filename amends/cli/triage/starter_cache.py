"""The starter model, trained once for each version and then read from the user's cache directory."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from amends.cli.output import err, stage

if TYPE_CHECKING:
    from triage.model.pipeline import Model

#: The fact of a cached model that names its version: a file without it was not written here.
_FACT = "starter_version"


def starter_model(languages: Sequence[str] | None) -> Model:
    """The model of the starter examples in these languages, None for all; training takes seconds, reading does not.

    Standard error names a cache file that is ignored, and a cache that cannot be written.
    """
    from triage.learning import examples

    version = examples.starter_version(languages)
    name = f"starter-{'-'.join(languages) if languages is not None else 'all'}"
    try:
        file = cache_folder() / f"{name}-{version}.skops"
    except RuntimeError as error:  # a container's user may have no home directory
        err.print(f"The model is not kept for the next time: {error}")
        return _train(languages)
    model = _read(file, version)
    if model is None:
        model = _train(languages)
        _write(file, replace(model, facts={**model.facts, _FACT: version}))
        # Names have the version's length: `starter-en-????` is never a model of English and Turkish.
        _remove_older(file, f"{name}-{'?' * len(version)}.skops")
    return model


def _train(languages: Sequence[str] | None) -> Model:
    from triage.learning import examples

    with stage("Training a model from the starter examples"):
        return examples.train_starter(languages)


def cache_folder() -> Path:
    """Where this platform keeps caches of programs (on Linux by the XDG Base Directory Specification)."""
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "amends" / "Cache"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "amends"
    xdg = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (xdg if xdg.is_absolute() else home / ".cache") / "amends"


def _read(file: Path, version: str) -> Model | None:
    """The model of a cache file; None without one, and for a file that is damaged or another's."""
    from triage.errors import UnreadableModel
    from triage.model.artefact import load

    try:
        model = load(file.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnreadableModel) as error:
        err.print(f"{file} is ignored: {error}")
        return None
    if model.facts.get(_FACT) != version:
        err.print(f"{file} is ignored: it is another model.")
        return None
    return model


def _write(file: Path, model: Model) -> None:
    from triage.model.artefact import dump

    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=file.parent, prefix=".", delete=False) as part:
            try:
                part.write(dump(model))
                part.flush()
                # Other processes see either no file or a complete one.
                Path(part.name).replace(file)
            except OSError:
                Path(part.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        err.print(f"The model is not kept for the next time: {file} cannot be written ({error.strerror}).")


def _remove_older(file: Path, pattern: str) -> None:
    for older in file.parent.glob(pattern):
        if older != file:
            with suppress(OSError):
                older.unlink()
