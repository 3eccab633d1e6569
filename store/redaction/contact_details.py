"""Who wrote a message that staff received: name, phone, e-mail and numbers as the text gives them (7.2)."""

import re
from collections.abc import Iterable, Set

from complaints.identifiers import numbers_in
from store.redaction.masking import find_spans
from store.redaction.patterns import patterns

# Anybody may send such an e-mail: possessive repeats and the longest name keep the time linear in the text.
_FROM = re.compile(
    r"^[ >*]*+(?:From|Von|De|Kimden|Gönderen)\*?[ \t]?:[*\s]*+\"?(?P<name>(?:[^\"<\n@]{0,200}?[^\"<\n@\s])?)\"?\s*+"
    r"[<(\[]?(?:mailto:)?(?P<email>[\w.+-]+@[\w.-]+\w)[>)\]]?",
    re.MULTILINE,
)
#: Lines of an e-mail that name its recipients.
_TO = re.compile(r"^[ >*]*(?:To|Cc|Bcc|Reply-To|An|Para|CC|Kime|Kopie|Bilgi)[*]*:.*$", re.MULTILINE)
#: "On 3 November Ada Finch <a@example.net> wrote:", over one line or two, and the lines quoted below it.
_QUOTED = re.compile(
    r"^(?P<level>[ >]*+)(?P<writer>(?=.*\d).*(?:\n[ >]*+)?<(?P<email>[^<>\s@]+@[^<>\s@]+)>.{0,60}:)[ \t]*+\n"
    r"(?:[ >]*+\n)?(?:(?P=level)>.*\n?)*",
    re.MULTILINE,
)
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
    """The words below the headers of the complainant's e-mails, without headers and without what the desk wrote.

    Without such a header: all words, but no line that is only a name of the `staff`, such as a signature.
    """
    names, firm = {_words_of(name) for name in staff}, _words_of(organisation)
    sender, own = _sender(text, names, firm)

    def without_staff(quoted: re.Match[str]) -> str:
        words = _words_of(quoted["writer"])
        is_own = _domain(quoted["email"]) in own or (firm and firm <= words)
        return "" if is_own or any(len(name) > 1 and name <= words for name in names) else quoted[0]

    text = _TO.sub("", _QUOTED.sub(without_staff, text))
    headers, parts = list(_FROM.finditer(text)), _FROM.split(text)[:: _FROM.groups + 1]
    if sender is None or not headers:
        lines = "".join(parts).split("\n")
        return "\n".join(line for line in lines if not headers or _words_of(line) not in names)
    # Words above the desk's own e-mail may be the complainant's answer to it, otherwise a colleague's.
    first = parts[0] if _domain(headers[0]["email"]) in own else ""
    written = zip(headers, parts[1:], strict=True)
    return first + "".join(part for header, part in written if header["email"] == sender["email"])


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
