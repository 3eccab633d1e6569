"""Who wrote a message that staff log: the sender of an e-mail, a signature, and the numbers in the text."""

import pytest

from bots.slack.listeners.log_complaint import _parts, _warnings
from store.redaction.contact_details import find_contact_details
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
