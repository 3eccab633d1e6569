"""Under which name this process holds what only one may hold."""

from __future__ import annotations

import os
import secrets
import socket

PARTS = ("telegram", "slack", "scheduler", "web")


def name_of_holder() -> str:
    """Tells an operator where it runs, and is nobody else's: two containers may share host name and process id."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
