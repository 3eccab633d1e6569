"""Logs in memory that can be grown, rewritten and forked, and a witness behind the real server."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from amends.witness import Witness, load_signer, witness_app
from store.proof.merkle import consistency_proof, leaf_hash, new_nodes, root
from store.proof.notes import Checkpoint, Signer, parse_verifier
from tests.edges.serving import serving_app


@dataclass
class Log:
    """A log over these leaves; each checkpoint is signed with its key."""

    leaves: list[str]
    name: str = "amends/0123456789abcdef"
    seed: bytes = hashlib.sha256(b"the key of a log").digest()
    nodes: dict[tuple[int, int], bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        hashes = [leaf_hash(leaf.encode()) for leaf in self.leaves]
        self.nodes = {(level, n): hash_ for level, n, hash_ in new_nodes(0, hashes, self.node)}

    def node(self, level: int, n: int) -> bytes:
        return self.nodes[level, n]

    @property
    def signer(self) -> Signer:
        return Signer(self.name, self.seed)

    @property
    def key(self) -> str:
        return str(self.signer.verifier)

    def note(self, size: int | None = None) -> str:
        size = len(self.leaves) if size is None else size
        body = Checkpoint(self.name, size, root(size, self.node)).body()
        return f"{body}\n{self.signer.sign(body)}\n"

    def proof(self, old: int, size: int | None = None) -> list[bytes]:
        return consistency_proof(old, len(self.leaves) if size is None else size, self.node)

    def request(self, old: int, size: int | None = None) -> bytes:
        """The request with the proof from the checkpoint of `old` to the one of `size`."""
        return request(old, self.proof(old, size), self.note(size))


def request(old: int, proof: Sequence[bytes], note: str) -> bytes:
    lines = [f"old {old}", *(base64.b64encode(hash_).decode() for hash_ in proof), "", note]
    return "\n".join(lines).encode()


def grown(count: int, prefix: str = "leaf") -> Log:
    return Log([f"{prefix} {n}" for n in range(count)])


def new_witness(folder: Path, *logs: str, name: str = "audit.example") -> Witness:
    """A witness with its key and state in this folder, new or started again."""
    folder.mkdir(exist_ok=True)
    signer, is_new = load_signer(folder / "key", name)
    return Witness(
        signer,
        folder / "state",
        [parse_verifier(log) for log in logs],
        is_new=is_new,
        clock=lambda: 1_793_700_000.0,
    )


@asynccontextmanager
async def serving_witness(witness: Witness) -> AsyncIterator[str]:
    """The address at which the witness listens."""
    try:
        async with serving_app(witness_app(witness)) as address:
            yield address
    finally:
        witness.close()
