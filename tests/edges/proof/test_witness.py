"""`amends witness`: it cosigns a log that only grew, refuses every other one, and forgets nothing."""

from __future__ import annotations

import os
import stat
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from amends.witness import MAX_REQUEST_BYTES, Witness, load_signer
from store.database.errors import AlreadyRunning, StoreError
from store.proof.notes import Signer, cosigned_at, parse_verifier
from tests.edges.product import Product
from tests.edges.serving import bare_line
from tests.edges.witness_logs import Log, grown, new_witness, request, serving_witness


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return new_witness(tmp_path / "witness", grown(1).key)


def _status(witness: Witness, body: bytes) -> int:
    return witness.add_checkpoint(body).status_code


def test_a_log_that_grows_is_cosigned_at_every_step(witness: Witness) -> None:
    sizes = [0, 1, 2, 3, 7, 8, 64, 65, 300]
    log = grown(300)
    for old, size in pairwise(sizes):
        answer = witness.add_checkpoint(log.request(old, size))
        assert answer.status_code == 200
        cosigned = log.note(size) + bytes(answer.body).decode()
        assert cosigned_at(cosigned, witness.signer.verifier) == 1_793_700_000
        assert witness.newest(log.name) == cosigned


def test_an_unchanged_log_is_cosigned_again(witness: Witness) -> None:
    log = grown(5)
    assert [_status(witness, log.request(old)) for old in (0, 5, 5)] == [200, 200, 200]


def test_another_old_size_gets_the_size_that_was_cosigned(witness: Witness) -> None:
    log = grown(9)
    _status(witness, log.request(0, 4))
    answer = witness.add_checkpoint(log.request(3))
    assert (answer.status_code, answer.body) == (409, b"4\n")
    assert answer.headers["content-type"] == "text/x.tlog.size"
    assert _status(witness, log.request(4)) == 200


def test_a_rewritten_log_is_refused(witness: Witness) -> None:
    log = grown(20)
    _status(witness, log.request(0, 12))
    for changed in range(12):
        leaves = list(log.leaves)
        leaves[changed] = "another"
        forged = Log(leaves)
        assert _status(witness, forged.request(12)) == 422
        # The proof of the true log does not help.
        assert _status(witness, request(12, log.proof(12), forged.note())) == 422
    assert witness.newest(log.name) is not None
    assert "\n12\n" in str(witness.newest(log.name))


def test_a_log_that_was_rolled_back_is_refused(witness: Witness) -> None:
    log = grown(20)
    _status(witness, log.request(0))
    for size in range(20):
        assert _status(witness, log.request(size, size)) == 409
        assert _status(witness, log.request(0, size)) == 409
    assert _status(witness, request(20, [], log.note(15))) == 400


def test_a_second_view_of_the_same_size_is_refused_and_logged_as_evidence(
    witness: Witness, capsys: pytest.CaptureFixture[str]
) -> None:
    log, other = grown(10), grown(10, "other")
    _status(witness, log.request(0))
    answer = witness.add_checkpoint(other.request(10))
    assert (answer.status_code, answer.body) == (409, b"10\n")
    assert cosigned_at(str(witness.newest(log.name)), witness.signer.verifier)
    root = other.note().splitlines()[2]
    assert root in capsys.readouterr().out


def test_a_fork_is_refused_whoever_grows_it(witness: Witness) -> None:
    log = grown(10)
    fork = Log([*log.leaves[:8], "fork 8", "fork 9", "fork 10", "fork 11"])
    _status(witness, log.request(0))
    assert _status(witness, fork.request(10)) == 422
    assert _status(witness, request(10, fork.proof(8), fork.note())) == 422
    assert _status(witness, fork.request(8)) == 409


def test_an_empty_log_has_one_root(witness: Witness) -> None:
    log = grown(3)
    wrong = log.note(3).splitlines()
    body = f"{log.name}\n0\n{wrong[2]}\n"
    assert _status(witness, request(0, [], f"{body}\n{log.signer.sign(body)}\n")) == 409
    assert _status(witness, log.request(0, 0)) == 200
    assert _status(witness, log.request(0)) == 200


def test_unknown_logs_and_unsigned_checkpoints_are_refused(witness: Witness) -> None:
    log = grown(3)
    stranger = Log(log.leaves, name="amends/ffffffffffffffff")
    forged = Log(log.leaves, seed=b"another key of thirty-two bytes.")
    assert _status(witness, stranger.request(0)) == 404
    assert _status(witness, forged.request(0)) == 403
    unsigned = log.note().rpartition("\u2014")[0]
    assert _status(witness, request(0, [], unsigned)) == 403
    # A good signature among unknown ones is enough.
    extra = log.note() + "\u2014 somebody.example AAAAAAAA\n"
    assert _status(witness, request(0, [], extra)) == 200


def test_a_new_key_of_a_log_is_trusted_beside_the_old_one(tmp_path: Path) -> None:
    log = grown(6)
    renewed = Log(log.leaves, seed=b"the next key of thirty-two bytes")
    witness = new_witness(tmp_path / "witness", log.key, renewed.key)
    assert [_status(witness, each) for each in (log.request(0, 4), renewed.request(4))] == [200, 200]


_GOOD = grown(3).request(0).decode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"old 0\n",
        b"old 0",
        _GOOD.replace("old 0", "old 00").encode(),
        _GOOD.replace("old 0", "old -1").encode(),
        _GOOD.replace("old 0", "old \u0661").encode(),
        _GOOD.replace("old 0", "old " + "9" * 5000).encode(),
        _GOOD.replace("old 0", "old 4").encode(),
        _GOOD.replace("old 0\n", "old 0\nnot base64!\n").encode(),
        _GOOD.replace("old 0\n", "old 0\nAAAA\n").encode(),
        _GOOD.replace("old 0\n", "old 0\n" + ("A" * 43 + "=\n") * 64).encode(),
        _GOOD.replace("\n3\n", "\n03\n").encode(),
        _GOOD.replace("\n3\n", "\n" + "9" * 5000 + "\n").encode(),
        _GOOD.replace("\n3\n", "\n\n").encode(),
        _GOOD.replace("\u2014 ", "- ").encode(),
        (_GOOD[: _GOOD.rindex(" ")] + " \u00e9\u00e9\u00e9\n").encode(),
        _GOOD.encode()[:-1],
    ],
)
def test_a_malformed_request_is_answered_with_400(witness: Witness, body: bytes) -> None:
    assert _status(witness, body) == 400
    assert _status(witness, _GOOD.encode()) == 200


def test_a_proof_for_the_first_checkpoint_is_refused(witness: Witness) -> None:
    assert _status(witness, request(0, [b"x" * 32], grown(3).note())) == 422


def test_what_was_cosigned_is_known_after_a_restart(witness: Witness, tmp_path: Path) -> None:
    log = grown(8)
    _status(witness, log.request(0, 5))
    witness.close()
    again = new_witness(tmp_path / "witness", log.key)
    assert again.signer == witness.signer
    assert _status(again, Log(["x", *log.leaves[1:]]).request(5)) == 422
    assert _status(again, log.request(5)) == 200


def test_nothing_is_cosigned_that_cannot_be_stored(witness: Witness, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    log = grown(8)
    _status(witness, log.request(0, 5))
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            witness.add_checkpoint(log.request(5))
    assert "\n5\n" in str(witness.newest(log.name))
    assert _status(witness, log.request(5)) == 200


def test_a_witness_whose_state_is_lost_or_damaged_does_not_start(witness: Witness, tmp_path: Path) -> None:
    log, folder = grown(8), tmp_path / "witness"
    _status(witness, log.request(0))
    with pytest.raises(AlreadyRunning, match="Another witness"):
        new_witness(folder, log.key)
    witness.close()
    (file,) = (folder / "state").glob("*.note")
    note = file.read_text()
    for damaged in (note[:-20], note.replace("\n8\n", "\n7\n"), grown(4).note(), ""):
        file.write_text(damaged)
        with pytest.raises(StoreError, match="restore it, or start with a new key"):
            new_witness(folder, log.key)
    (folder / "state").rename(folder / "elsewhere")
    with pytest.raises(StoreError, match="is missing"):
        new_witness(folder, log.key)


def test_the_key_is_private_and_keeps_its_name(tmp_path: Path) -> None:
    signer, is_new = load_signer(tmp_path / "key", "audit.example")
    assert is_new
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert load_signer(tmp_path / "key", None) == (signer, False)
    assert parse_verifier(str(signer.verifier), is_witness=True) == signer.verifier
    with pytest.raises(StoreError, match=r"that of audit\.example"):
        load_signer(tmp_path / "key", "other.example")
    with pytest.raises(StoreError, match="no blanks"):
        load_signer(tmp_path / "new", "a b")
    (tmp_path / "key").write_text("something else\n")
    with pytest.raises(StoreError, match="is no key of a witness"):
        load_signer(tmp_path / "key", None)


async def test_the_answers_over_http(witness: Witness) -> None:
    log = grown(5)
    async with serving_witness(witness) as url, httpx.AsyncClient(trust_env=False) as client:
        where = {"origin": log.name}
        assert (await client.get(f"{url}/checkpoint", params=where)).status_code == 404
        answer = await client.post(f"{url}/add-checkpoint", content=log.request(0))
        assert answer.status_code == 200
        assert (await client.get(f"{url}/checkpoint", params=where)).text == log.note() + answer.text
        assert (await client.get(f"{url}/checkpoint", params={"origin": "other"})).status_code == 404
        assert (await client.get(f"{url}/add-checkpoint")).status_code == 405
        large = await client.post(f"{url}/add-checkpoint", content=b"x" * (MAX_REQUEST_BYTES + 1))
        assert large.status_code == 413
        head = b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 99999999999\r\n\r\n"
        assert b"413" in await bare_line(url, head)


async def test_the_command_prints_its_key_and_refuses_bad_options(tmp_path: Path) -> None:
    product = Product(tmp_path)
    bad = await product.amends("witness", "--log", "no key")
    assert (bad.code, "is no verifier key" in " ".join(bad.err.split())) == (2, True)
    bad = await product.amends("witness", "--log", grown(1).key, "--listen", "8430")
    assert (bad.code, "127.0.0.1:8430" in bad.err) == (2, True)
    of_witness = str(Signer("w", b"k" * 32, is_witness=True).verifier)
    bad = await product.amends("witness", "--log", of_witness)
    assert (bad.code, "of a log" in " ".join(bad.err.split())) == (2, True)
    assert not (tmp_path / "witness.key").exists()
