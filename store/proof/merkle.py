"""Merkle trees of RFC 6962: roots, proofs and their verification, as pure functions of 32-byte hashes.

A tree is given as `node(level, n)`, the hash of the complete subtree over the leaves n * 2**level onwards. So a proof
reads about 2 * log2(size) hashes, wherever they are kept.
"""

import hashlib
from collections.abc import Callable, Sequence

#: The hash of a complete subtree of 2**level leaves.
Node = Callable[[int, int], bytes]
EMPTY = hashlib.sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def new_nodes(size: int, leaves: Sequence[bytes], node: Node) -> list[tuple[int, int, bytes]]:
    """The complete subtrees (level, n, hash) that these leaves add to a tree of `size`, the leaves themselves too."""
    added: dict[tuple[int, int], bytes] = {}
    for position, leaf in enumerate(leaves, start=size):
        level, n, value = 0, position, leaf
        added[level, n] = value
        while n % 2:
            left = (level, n - 1)
            value = node_hash(added[left] if left in added else node(*left), value)
            level, n = level + 1, n // 2
            added[level, n] = value
    return [(level, n, value) for (level, n), value in added.items()]


def root(size: int, node: Node) -> bytes:
    """The root of a tree of `size` leaves."""
    return _range_hash(0, size, node) if size else EMPTY


def inclusion_proof(leaf: int, size: int, node: Node) -> list[bytes]:
    """The hashes that lead from a leaf to the root of a tree of `size` (RFC 6962, 2.1.1)."""
    return _path(leaf, 0, size, node)


def consistency_proof(old: int, size: int, node: Node) -> list[bytes]:
    """The hashes that show that the tree of `size` begins with the tree of `old` (RFC 6962, 2.1.2)."""
    return _subproof(old, 0, size, node, whole=True) if 0 < old < size else []


def is_consistent(old: int, old_root: bytes, size: int, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """True if the proof shows that the tree of `size` begins with the tree of `old`."""
    if old == 0 or old == size:
        return not proof and (old == 0 or old_root == new_root)
    if old > size:
        return False
    path = list(proof)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    if not path:
        return False
    position, last = old - 1, size - 1
    while position % 2:
        position, last = position // 2, last // 2
    first = second = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if position % 2 or position == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while position and not position % 2:
                position, last = position // 2, last // 2
        else:
            second = node_hash(second, sibling)
        position, last = position // 2, last // 2
    return last == 0 and first == old_root and second == new_root


def _split(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << (count - 1).bit_length() - 1


def _range_hash(start: int, end: int, node: Node) -> bytes:
    count = end - start
    if count & (count - 1) == 0 and start % count == 0:
        level = count.bit_length() - 1
        return node(level, start >> level)
    middle = start + _split(count)
    return node_hash(_range_hash(start, middle, node), _range_hash(middle, end, node))


def _path(leaf: int, start: int, end: int, node: Node) -> list[bytes]:
    if end - start == 1:
        return []
    middle = start + _split(end - start)
    if leaf < middle:
        return [*_path(leaf, start, middle, node), _range_hash(middle, end, node)]
    return [*_path(leaf, middle, end, node), _range_hash(start, middle, node)]


def _subproof(old: int, start: int, end: int, node: Node, *, whole: bool) -> list[bytes]:
    if old == end:
        return [] if whole else [_range_hash(start, end, node)]
    middle = start + _split(end - start)
    if old <= middle:
        return [*_subproof(old, start, middle, node, whole=whole), _range_hash(middle, end, node)]
    return [*_subproof(old, middle, end, node, whole=False), _range_hash(start, middle, node)]
