"""The names of the parts of a process, and the name under which a process holds a lease."""

from __future__ import annotations

import os
import secrets
import socket

PARTS = ("telegram", "slack", "scheduler", "web")


def unique_holder_name() -> str:
    """A name for leases that shows where the process runs and that no other process has.

    The random part is needed because two containers may have the same host name and process id.
    """
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
