"""The text as the model reads it: normalised, personal data masked, language guessed.

A model learns only from masked text, so that no person's number or address can become a feature of a stored model.
"""

import re
from collections.abc import Sequence
from copy import copy
from functools import lru_cache
from threading import Lock

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from triage.hidden_characters import normalise_characters

LONGEST = 20_000
"""Characters read for a proposal; the rest is still recorded and searched by the safety rules."""

DETECTED_LANGUAGES = (
    "en", "tr", "de", "es", "fr", "it", "pt", "nl", "pl", "ro", "cs", "hu", "sv", "da", "fi", "no", "el", "bg",
    "ru", "uk", "ar", "fa", "he", "hi", "bn", "ur", "zh", "ja", "ko", "vi", "th", "id",
)  # fmt: skip
"""Languages to choose from where the organisation's are not known; English is the guess for a text without words."""

_MARKUP = re.compile(r"<(?:/?[a-zA-Z][^<>]{0,200}|!--.{0,200}?--)>")
_ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&nbsp;": " ", "&quot;": '"', "&#39;": "'"}
# A pattern, its replacement, and a character that a text must contain to be searched for it.
_MASKS: tuple[tuple[re.Pattern[str], str, str], ...] = (
    # The codes of a masked copy (store.redaction.masking): training reads copies, a proposal the text itself.
    (re.compile(r"\[(?:name|address)\]"), " ", "["),
    (re.compile(r"\[email\]"), " emailaddress ", "["),
    (re.compile(r"\[iban\]"), " bankaccount ", "["),
    (re.compile(r"\[(?:phone|card|number)\]"), " longnumber ", "["),
    (re.compile(r"\bhttps?://\S+|\bwww\.\S+", re.IGNORECASE), " weblink ", ""),
    (re.compile(r"[^\s@<>]{1,64}@[^\s@<>]{1,190}\.[^\s@<>.]{2,24}"), " emailaddress ", "@"),
    (re.compile(r"\b[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{4}){2,7}(?:[ ]?[A-Z0-9]{1,3})?\b"), " bankaccount ", ""),
    (re.compile(r"(?<![\w+])\+?\(?\d(?:[\s().\-/]{0,2}\d){6,18}(?!\w)"), " longnumber ", ""),
    (re.compile(r"\b(?=\w*\d)(?=\w*[A-Za-z])\w*\d\w*\d\w*\d\w*\d\w*\b"), " somecode ", ""),
    (re.compile(r"(?<!\w)@\w{3,32}"), " username ", "@"),
    (re.compile(r"\d{4,}"), "0000", ""),
)


def normalise(text: str) -> str:
    """The text as the model sees it: NFKC, no markup, personal data masked, single blanks.

    At most `LONGEST` (20,000) characters are read. Any text is accepted; a blank one gives "".
    """
    plain = normalise_characters(text[:LONGEST])
    if "<" in plain:
        plain = _MARKUP.sub(" ", plain)
    if "&" in plain:
        for entity, character in _ENTITIES.items():
            plain = plain.replace(entity, character)
    for pattern, mask, required in _MASKS:
        if required in plain:
            plain = pattern.sub(mask, plain)
    plain = " ".join(plain.split())
    if plain.isprintable():
        return plain
    # Line breaks are gone by now, so few texts reach this slower path.
    return " ".join("".join(c if c.isprintable() else " " for c in plain).split())


_loading = Lock()


def load_language_model() -> None:
    """Load what `guess_language` needs: 75 MB and about .7 s, once for a process and never on its event loop."""
    with _loading:
        _language_model()


@lru_cache(maxsize=1)
def _language_model() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


@lru_cache(maxsize=8)
def _identifier(languages: tuple[str, ...]) -> LanguageIdentifier | None:
    """An identifier that chooses among these languages; all share the arrays of one loaded model."""
    load_language_model()
    identifier = copy(_language_model())
    supported = [language for language in languages if language in identifier.labels]
    if len(supported) < 2:
        return None
    identifier.set_languages(supported)
    return identifier


def guess_language(text: str, languages: Sequence[str] = ("en", "tr")) -> str:
    """The most likely of these languages; the first one where the text has fewer than two letters."""
    letters = sum(character.isalpha() for character in text[:500])
    if len(languages) < 2 or letters < 2:
        return languages[0]
    identifier = _identifier(tuple(languages))
    if identifier is None:
        return languages[0]
    guess, _ = identifier.classify(text[:2_000])
    return str(guess)


_FEWEST_LETTERS, _LEAST_SURE = 20, 0.9
#: For a short text, which is compared with the languages of the desk only.
_LEAST_SURE_SHORT = 0.95


def detect_language(text: str) -> str | None:
    """The language in which a normalised text is written, of `DETECTED_LANGUAGES`; None where that is not sure.

    At these limits 1 % of the held-out texts have no language, and none has a wrong one.
    """
    if sum(character.isalpha() for character in text[:2_000]) < _FEWEST_LETTERS:
        return None
    return sure_language(text[:2_000], _LEAST_SURE)


def sure_language(text: str, least_sure: float) -> str | None:
    """The language of a text, of `DETECTED_LANGUAGES`; None where it is less sure than this, from 0 to 1."""
    identifier = _identifier(DETECTED_LANGUAGES)
    if identifier is None:
        return None
    guess, probability = identifier.classify(text)
    return str(guess) if probability >= least_sure else None


_TURKISH_LETTERS = frozenset("ğışĞİŞ")


def desk_language(text: str, languages: Sequence[str]) -> tuple[str | None, bool]:
    """The language in which a person writes to a desk of these languages, and whether that is sure.

    A short text ("no hay agua") is compared with them only; None where nothing decides.
    """
    is_short = sum(character.isalpha() for character in text[:2_000]) < _FEWEST_LETTERS
    identifier = _identifier(tuple(languages))
    detects_all = set(languages) <= set(DETECTED_LANGUAGES)
    if not is_short and detects_all and (language := detect_language(normalise(text))) is not None:
        return language, True
    if "tr" in languages and _TURKISH_LETTERS & set(text):
        return "tr", not is_short
    if identifier is None or not any(character.isalpha() for character in text):
        return None, False
    guess, probability = identifier.classify(text[:2_000])
    return (str(guess), not is_short) if probability >= _LEAST_SURE_SHORT else (None, False)
