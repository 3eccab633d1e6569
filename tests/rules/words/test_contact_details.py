"""Who wrote a message that staff log: the sender of an e-mail, a signature, and the numbers in the text."""

from time import thread_time
from typing import Any

import pytest

from bots.slack.listeners.log_complaint import _parts, _warnings
from store.redaction.contact_details import complainant_text, find_contact_details
from tests.rules.slack_cases import voice


@pytest.mark.parametrize(
    ("text", "country", "details"),
    [
        (
            "The boiler leaks again.\nMit freundlichen Grüßen\nJutta Brandes\nTel. 030 23125 014",
            "DE",
            {"name": "Jutta Brandes", "phone": "030 23125 014"},
        ),
        (
            "Kargo gelmedi.\nSaygılarımla,\nNazan Öztürk\n0532 213 44 55",
            "TR",
            {"name": "Nazan Öztürk", "phone": "0532 213 44 55"},
        ),
        (
            "No funciona.\nUn saludo,\nIker Aldama\niker@example.es",
            "ES",
            {"name": "Iker Aldama", "email": "iker@example.es"},
        ),
        (
            "Von: Jutta Brandes <jutta@example.de>\nAn: desk@example.org\n\nHallo Frau Klein, Kundennummer 77120.",
            "DE",
            {"name": "Jutta Brandes", "email": "jutta@example.de", "customer_ref": "77120"},
        ),
        ("Nothing works here, and nobody answers.", "GB", {}),
    ],
)
def test_the_sender_or_the_signature_and_the_numbers_are_read(
    text: str, country: str, details: dict[str, str]
) -> None:
    assert find_contact_details(text, country) == details


FORWARDED = (
    "From: Burak Demir <burak@northwind.example>\nTo: desk@northwind.example\n\nPlease log this. Regards\n"
    "Burak Demir\n020 7946 0100\n---- Forwarded message ----\n{sender}\n\n"
    "My meter was read wrong.\nCall me: 020 7946 0991"
)


@pytest.mark.parametrize(
    "sender",
    [
        "From: Jane Doe <jane@x.example>",
        "> *Von:* Jane Doe [mailto:jane@x.example]",
        "De: Jane Doe <jane@x.example>",
        "Kimden: Jane Doe <jane@x.example>",
        'Gönderen : "Jane Doe" <jane@x.example>',
    ],
)
def test_the_complainant_is_who_wrote_the_forwarded_email(sender: str) -> None:
    details = {"name": "Jane Doe", "phone": "020 7946 0991", "email": "jane@x.example"}
    text = FORWARDED.format(sender=sender)
    assert find_contact_details(text, "GB") == details
    assert complainant_text(text).strip() == "My meter was read wrong.\nCall me: 020 7946 0991"


JANE = "From: Jane Doe <jane@x.example>\nTo: Desk <desk@other.example>\n\nNo.\n\n"


@pytest.mark.parametrize(
    ("text", "details"),
    [
        (
            "From: Demir, Burak <burak@northwind.example>\n\nJane called, jane@x.example.\nRegards\nBurak Demir",
            {"email": "jane@x.example"},
        ),
        (
            f"{JANE}From: Desk <desk@other.example>\n\nYes?\n\nFrom: Burak Demir <burak@northwind.example>",
            {"name": "Jane Doe", "email": "jane@x.example"},
        ),
        (
            f"{JANE}From: Northwind Water Complaints <hello@northwind.example>\n\nYes?",
            {"name": "Jane Doe", "email": "jane@x.example"},
        ),
        ("From today I am at the office of x@y.example", {"email": "x@y.example"}),
    ],
    ids=["a colleague about a call", "an answer to the desk", "an answer to the organisation", "no header"],
)
def test_neither_staff_nor_the_organisation_are_the_complainant(text: str, details: dict[str, str]) -> None:
    desk: dict[str, Any] = {"staff": ("Burak Demir",), "organisation": "Northwind Water"}
    assert find_contact_details(text, "GB", **desk) == details


@pytest.mark.parametrize(
    ("text", "own"),
    [
        (f"Hi Burak Demir, please log this.\n{JANE}", "No."),
        (f"No, no!\nFrom: Burak Demir <burak@northwind.example>\nTo: Jane\n\nYes?\n{JANE}", "No, no! No."),
        (
            f"{JANE}Rude!\nFrom: Burak Demir <b@northwind.example>\n\nYes?\nFrom: Jane Doe <jane@x.example>\n\nOld.",
            "No. Rude! Old.",
        ),
        (
            "Rude!\n\nOn 3 Nov 2026 Burak Demir\n<burak@northwind.example> wrote:\n\n> Yes?\n> Burak Demir\nLate.",
            "Rude! Late.",
        ),
        (
            "Am 3. November schrieb Ada Finch <ada@x.example>:\n> I saw it.\nI too.",
            "Am 3. November schrieb Ada Finch <ada@x.example>: > I saw it. I too.",
        ),
        (
            "From: Demir, Burak <burak@northwind.example>\n\nShe called.\nRegards\nBurak Demir",
            "She called. Regards",
        ),
        ("The rude one was\nBurak Demir", "The rude one was Burak Demir"),
    ],
    ids=["forwarded", "answered above", "answered twice", "quoted", "quoting another", "a call", "no e-mail"],
)
def test_the_own_words_of_the_complainant_are_without_headers_and_the_words_of_the_desk(
    text: str, own: str
) -> None:
    desk: dict[str, Any] = {"staff": ("Burak Demir",), "organisation": "Northwind Water"}
    assert " ".join(complainant_text(text, **desk).split()) == own


@pytest.mark.parametrize("begins", ["", "From:", "1 <"])
@pytest.mark.parametrize("piece", [">", " ", "\n", "a@", "1 <a@a@", "From: "])
def test_the_time_to_read_a_hostile_email_is_linear(begins: str, piece: str) -> None:
    text = begins + piece * (20_000 // len(piece))
    started = thread_time()
    complainant_text(text, staff=("Burak Demir",), organisation="Northwind Water")
    # At most 0.1 s of processor time; a pattern whose time grows with the square takes a second and more.
    assert thread_time() - started < 0.5


def test_an_email_that_was_sent_to_slack_is_read_with_its_sender() -> None:
    email = {
        "id": "F1", "filetype": "email", "subject": "Late parcel", "plain_text": "It came on Monday.",
        "from": [{"address": "a@example.net", "name": "Ada Finch", "original": "Ada Finch <a@example.net>"}],
    }  # fmt: skip
    shared = {"is_share": True, "text": "Please see <https://example.net|this>"}
    text = "\n\n".join(_parts({"text": "", "attachments": [shared], "files": [email]}, {}))
    assert text.endswith("From: Ada Finch <a@example.net>\n\nLate parcel\n\nIt came on Monday.")
    assert find_contact_details(text, "GB") == {"name": "Ada Finch", "email": "a@example.net"}


def test_the_form_names_what_it_does_not_get_of_a_message() -> None:
    email = {"id": "F1", "filetype": "email", "preview_plain_text": "It came on", "has_more": True}
    whole = {**email, "plain_text": "It came on Monday."}
    assert _warnings({"files": [whole]}, [], voice("en")) == []
    beginning, files = _warnings({"files": [email]}, [{"name": "<sixth>.jpg"}], voice("en"))
    assert "only the beginning" in beginning
    assert "5 files" in files
    assert "&lt;sixth&gt;.jpg" in files
