"""The file of the demo's past, and the sources from which it was made: `python -m amends.demo.past_file` renews it.

It is not in git (decision 79). Without other imports, because each start of the demo compares the sources first.
"""

import hashlib
import lzma
from pathlib import Path

FILE = Path(__file__).with_name("past.jsonl.xz")
_ROOT = Path(__file__).parents[2]
_ROOMS = ("amends", "bots", "complaints", "reports", "scheduler", "store", "triage")
_ENDINGS = frozenset({".py", ".toml", ".po", ".csv"})


def sources_hash() -> str:
    """The SHA-256 of all that the past may depend on: every source of the product, texts and examples included."""
    digest = hashlib.sha256()
    for room in _ROOMS:
        for file in sorted((_ROOT / room).rglob("*")):
            if file.suffix in _ENDINGS:
                digest.update(f"{file.relative_to(_ROOT)}\0".encode())
                digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def is_current() -> bool:
    """False if the past must be made: it is missing, or was made from other sources."""
    if not FILE.exists():
        return False
    with lzma.open(FILE, "rt", encoding="utf-8") as lines:
        return lines.readline().rstrip() == sources_hash()


def ensure_current() -> None:
    """Make the past through the verbs unless it is current; that takes about a minute.

    Raises SystemExit if the file cannot be written.
    """
    if is_current():
        return
    # Imported here: these are seconds.
    from amends.demo.recording import record_past

    text = f"{sources_hash()}\n{record_past()}"
    part = FILE.with_suffix(".part")
    try:
        part.write_bytes(lzma.compress(text.encode()))
        part.replace(FILE)
    except OSError as error:
        raise SystemExit(f"{FILE} cannot be written: {error.strerror}.") from error


if __name__ == "__main__":
    ensure_current()
