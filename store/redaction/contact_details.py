"""Who wrote a message that staff received: name, phone, e-mail and numbers as the text gives them (7.2)."""

import re

from complaints.identifiers import numbers_in
from store.redaction.masking import find_spans
from store.redaction.patterns import patterns

_FROM = re.compile(
    r"^[ >*]*(?:From|Von|De|Kimden|Gönderen)[*:\s]+\"?(?P<name>[^\"<\n@]*?)\"?\s*"
    r"[<(\[]?(?:mailto:)?(?P<email>[\w.+-]+@[\w.-]+\w)",
    re.MULTILINE,
)
#: Lines of an e-mail that name its recipients.
_TO = re.compile(r"^[ >*]*(?:To|Cc|Bcc|Reply-To|An|Para|CC|Kime|Kopie|Bilgi)[*]*:.*$", re.MULTILINE)
#: The field of the form for each kind of number.
_FIELDS = {"customer": "customer_ref", "order": "order_ref"}


def find_contact_details(text: str, country: str) -> dict[str, str]:
    """Values by field (`name`, `phone`, `email`, `customer_ref`, `order_ref`); only those that the text has.

    The sender of an e-mail comes before a signature, and the first number before later ones. Recipients are left out.
    """
    details: dict[str, str] = {}
    if (sender := _FROM.search(text)) is not None:
        details = {name: value.strip() for name, value in sender.groupdict().items() if value.strip()}
    body = _TO.sub("", text)
    for signature in patterns("signature"):
        if (match := signature.search(body)) is not None:
            details.setdefault("name", match["name"])
    for span in find_spans(body, country=country):
        if span.kind in ("phone", "email"):
            details.setdefault(span.kind, body[span.start : span.end].strip())
    for number in numbers_in([body]):
        if number.kind in _FIELDS:
            details.setdefault(_FIELDS[number.kind], number.value)
    return details
