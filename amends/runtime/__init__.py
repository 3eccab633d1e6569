"""The parts of a running process: their names, the name under which one holds a lease, the error that ends it."""

import os
import secrets
import socket

PARTS = ("telegram", "slack", "scheduler", "web")


def unique_holder_name() -> str:
    """A name for leases that shows where the process runs and that no other process has.

    The random part is needed because two containers may have the same host name and process id.
    """
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


class OutsideFailed(Exception):
    """A service that the product needs refuses it or stopped answering; the message names it and the remedy."""
