"""Who wrote a message that staff received: name, phone, e-mail and numbers as the text gives them (7.2)."""

import re
from collections.abc import Iterable, Set

from complaints.identifiers import numbers_in
from store.redaction.masking import find_spans
from store.redaction.patterns import patterns

_FROM = re.compile(
    r"^[ >*]*(?:From|Von|De|Kimden|Gönderen)\*?[ \t]?:[*\s]*\"?(?P<name>[^\"<\n@]*?)\"?\s*"
    r"[<(\[]?(?:mailto:)?(?P<email>[\w.+-]+@[\w.-]+\w)[>)\]]?",
    re.MULTILINE,
)
#: Lines of an e-mail that name its recipients.
_TO = re.compile(r"^[ >*]*(?:To|Cc|Bcc|Reply-To|An|Para|CC|Kime|Kopie|Bilgi)[*]*:.*$", re.MULTILINE)
#: The field of the form for each kind of number.
_FIELDS = {"customer": "customer_ref", "order": "order_ref"}


def find_contact_details(
    text: str, country: str, *, staff: Iterable[str] = (), organisation: str = ""
) -> dict[str, str]:
    """Values by field (`name`, `phone`, `email`, `customer_ref`, `order_ref`); only those that the text has.

    The complainant is the sender of the innermost of forwarded e-mails who has no name of the `staff` or of the
    organisation, and no address of the same domain: otherwise all complaints that a colleague forwards would be of
    one person. The sender comes before a signature, and the first number before later ones. Recipients are left out.
    """
    names = {_words_of(name) for name in staff}
    sender, own = _sender(text, names, _words_of(organisation))
    details: dict[str, str] = {}
    if sender is not None:
        details = {name: value.strip() for name, value in sender.groupdict().items() if value.strip()}
    body = _FROM.sub("", _TO.sub("", text if sender is None else text[sender.start() :]))
    for signature in patterns("signature"):
        if (match := signature.search(body)) is not None and _words_of(match["name"]) not in names:
            details.setdefault("name", match["name"])
    for span in find_spans(body, country=country):
        value = body[span.start : span.end].strip()
        if span.kind == "phone" or (span.kind == "email" and _domain(value) not in own):
            details.setdefault(span.kind, value)
    for number in numbers_in([_TO.sub("", text)]):
        if number.kind in _FIELDS:
            details.setdefault(_FIELDS[number.kind], number.value)
    return details


def complainant_text(text: str, *, staff: Iterable[str] = (), organisation: str = "") -> str:
    """The text after the header of the complainant's e-mail, without the words of who forwarded it."""
    sender, _ = _sender(text, {_words_of(name) for name in staff}, _words_of(organisation))
    return text if sender is None else text[sender.end() :]


def _sender(
    text: str, names: Set[frozenset[str]], organisation: frozenset[str]
) -> tuple[re.Match[str] | None, set[str]]:
    """The header of the complainant's e-mail, and the domains of the senders who are staff or the organisation."""
    senders = list(_FROM.finditer(text))
    own = {
        _domain(sender["email"])
        for sender in senders
        if (words := _words_of(sender["name"]))
        and (words in names or (organisation and organisation <= words))
    }
    others = [sender for sender in senders if _domain(sender["email"]) not in own]
    for sender in reversed(others):
        # An e-mail that quotes the desk's own was written to the desk: the quoted one is not the complainant's.
        recipients = "\n".join(line for line in _TO.findall(text[: sender.start()]) if "Reply-To" not in line)
        name = sender["name"].strip()
        if sender["email"] not in recipients and not (name and name in recipients):
            return sender, own
    return (others[-1] if others else None), own


def _words_of(name: str) -> frozenset[str]:
    """The words of a name, in any order: "Klein, Jutta" is "Jutta Klein"."""
    return frozenset(re.findall(r"\w+", name.casefold()))


def _domain(address: str) -> str:
    return address.rpartition("@")[2].casefold()
