"""Find the encoding of a foreign CSV file: a byte order mark, UTF-8, UTF-16 or an old code page.

In one code page a byte is "ş", in another "þ" or "º"; only the words show which was meant. So the file is decoded
with each code page, the language of the result is guessed, and its letters are compared with those of that language.
The whole file is read once before it is parsed, in chunks: a single byte near its end can decide, and a large file
need not fit into memory.
"""

import codecs
import gzip
import io
import re
import zlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO

from triage.errors import UnreadableTable
from triage.matching import read_table

Source = Path | bytes

#: Bytes that a packed file may unpack to. A small gzip file can hold terabytes of zeros.
LARGEST = 8 << 30
_CHUNK = 1 << 20
#: Bytes of lines with non-ASCII letters that are kept to compare code pages; more do not change the result.
_SAMPLE = 64_000
_DECODED = 20_000
_LONGEST_LINE = 2_000

_OTHER_FORMATS = (
    (b"PK\x03\x04", "an Excel workbook or another packed file"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"%PDF", "a PDF"),
    (b"SQLite format 3", "an SQLite database"),
    (b"PAR1", "a Parquet file"),
)
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    # The mark of UTF-16 is the beginning of that of UTF-32, so the longer one goes first.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAVE_AS_CSV = 'Save it as CSV (in Excel: "Save as", "CSV UTF-8") and try again.'

_TABLES = read_table("csv", "encodings.toml")
#: Letters outside A to Z by language, in lower case, and the commonest ones of languages in another script.
_LETTERS: Mapping[str, str] = _TABLES["letters"]
_COMMON_LETTERS: Mapping[str, str] = _TABLES["common_letters"]
_COMMON_SHARE = 0.4
_MISREAD_SHARE = 0.25
#: Code pages with the languages written in them. Those of DOS and Macintosh are tried last.
_CODE_PAGES = tuple(
    {name: tuple(languages) for name, languages in _TABLES[systems].items()}
    for systems in ("windows_and_iso", "dos_and_macintosh")
)

_ASCII_WORD = re.compile(r"[a-zA-Z]{2,}")
_NON_ASCII = re.compile(r"[^\x00-\x7f]")
_WORD = re.compile(r"[^\W\d_]{3,}")
#: Apostrophes, dashes and the space that keeps two words on one line: they are between letters in correct texts.
_BETWEEN_LETTERS = "’‘´–—…\xa0"
_ORDINALS = "ºª"


def open_source(source: Source) -> BinaryIO:
    """The bytes of a file as stored, packed or not; raises UnreadableTable with the remedy."""
    if isinstance(source, bytes):
        return io.BytesIO(source)
    if source.is_dir():
        raise UnreadableTable(f"{source} is a directory: name one CSV file in it.")
    try:
        return source.open("rb")
    except FileNotFoundError as error:
        raise UnreadableTable(f"{source} does not exist: check its name and folder.") from error
    except OSError as error:
        raise UnreadableTable(
            f"{source} cannot be opened: {error.strerror}. Check who may read it."
        ) from error


def unpack(stream: BinaryIO) -> BinaryIO:
    """The bytes of the table, whether or not the file is packed with gzip."""
    is_packed = stream.read(2) == b"\x1f\x8b"
    stream.seek(0)
    return gzip.GzipFile(fileobj=stream) if is_packed else stream  # type: ignore[return-value]


def detect_encoding(source: Source, *, languages: Collection[str] = ()) -> str:
    """Python's name of a file's encoding.

    `languages` are those that people write to the organisation in: they decide between two code pages that fit
    equally well. Raises UnreadableTable for an empty file, for one that is not text, for UTF-8 with a damaged
    character, and where no encoding fits.
    """
    with open_source(source) as stream:
        return _detect(_chunks(unpack(stream)), languages)


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    size = 0
    try:
        while chunk := stream.read(_CHUNK):
            size += len(chunk)
            if size > LARGEST:
                raise UnreadableTable(f"The file unpacks to more than {LARGEST >> 30} GB: divide it.")
            yield chunk
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableTable(f"The file is damaged: {error}. Copy or pack it again.") from error


def _detect(chunks: Iterator[bytes], languages: Collection[str]) -> str:
    first = next(chunks, b"")
    if not first.strip():
        raise UnreadableTable("The file is empty: it needs a header line with rows below it.")
    for signature, name in _OTHER_FORMATS:
        if first.startswith(signature):
            raise UnreadableTable(f"The file is {name}, not a table in plain text. {_SAVE_AS_CSV}")
    encoding = _by_byte_order_mark(first) or _by_nul_bytes(first)
    if encoding is not None:
        return encoding
    utf8 = _Utf8Check()
    utf8.read(first)
    for chunk in chunks:
        utf8.read(chunk)
    utf8.end()
    if utf8.error_line is None:
        return "utf-8"
    # Words in a code page are almost never valid UTF-8 by chance.
    if utf8.valid_lines and utf8.valid_lines >= utf8.invalid_lines:
        raise UnreadableTable(
            f"The file is UTF-8, but line {utf8.error_line} is not: correct it, or save the file again as UTF-8."
        )
    return _code_page(bytes(utf8.sample), languages)


class _Utf8Check:
    """Whether a file is UTF-8, and a sample of its lines with non-ASCII letters."""

    def __init__(self) -> None:
        self.error_line: int | None = None
        self.valid_lines = self.invalid_lines = 0
        self.sample = bytearray()
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._line = 1

    def read(self, chunk: bytes) -> None:
        if self.error_line is None:
            self._decode(chunk)
        self._line += chunk.count(b"\n")
        if len(self.sample) < _SAMPLE and not chunk.isascii():
            for line in chunk.split(b"\n"):
                if not line.isascii():
                    self._compare(line)

    def end(self) -> None:
        if self.error_line is None:
            self._decode(b"", final=True)

    def _decode(self, chunk: bytes, *, final: bool = False) -> None:
        try:
            self._decoder.decode(chunk, final=final)
        except UnicodeDecodeError as error:
            self.error_line = self._line + error.object[: error.start].count(b"\n")

    def _compare(self, line: bytes) -> None:
        self.sample += line[:_LONGEST_LINE] + b"\n"
        try:
            line.decode("utf-8")
            self.valid_lines += 1
        except UnicodeDecodeError:
            self.invalid_lines += 1


def _by_byte_order_mark(first: bytes) -> str | None:
    return next((name for mark, name in _BYTE_ORDER_MARKS if first.startswith(mark)), None)


def _by_nul_bytes(first: bytes) -> str | None:
    """UTF-16 without a mark: in most languages every second byte of it is NUL."""
    head = first[:4_000]
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) > len(head) // 5 and min(even, odd) < len(head) // 100 + 1:
        return "utf-16-le" if odd > even else "utf-16-be"
    control_bytes = sum(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in head)
    if control_bytes > max(8, len(head) // 10):
        raise UnreadableTable(f"The file is no text. {_SAVE_AS_CSV}")
    return None


def _code_page(sample: bytes, organisation: Collection[str]) -> str:
    """The code page that a sample of lines fits best; raises UnreadableTable where none fits."""
    sample = sample[:_DECODED]
    for code_pages in _CODE_PAGES:
        for decoded in _by_fit(sample, code_pages, organisation):
            if _is_plausible(decoded, code_pages[decoded.code_page]):
                return decoded.code_page
    raise UnreadableTable(
        "The encoding of the file cannot be recognised: save it as UTF-8, or name its encoding in the "
        "mapping file (--map), [file] encoding."
    )


@dataclass(frozen=True, slots=True)
class _Decoded:
    """A sample decoded with a code page, and the language that it then seems to be in."""

    code_page: str
    text: str
    language: str


def _by_fit(
    sample: bytes, code_pages: Mapping[str, tuple[str, ...]], organisation: Collection[str]
) -> list[_Decoded]:
    from triage.text import guess_language  # NumPy takes a moment to load, and UTF-8 does not need it

    ascii_words = " ".join(_ASCII_WORD.findall(sample.decode("ascii", "replace")))
    likely = guess_language(ascii_words, tuple(_LETTERS))
    ranked: list[tuple[tuple[float, bool], _Decoded]] = []
    for code_page, languages in code_pages.items():
        try:
            text = sample.decode(code_page)
        except UnicodeDecodeError:
            continue
        decoded = _Decoded(code_page, text, guess_language(text, languages))
        # Worth half of all letters: a short text that is decoded wrongly often resembles another language.
        fit = _fit(decoded) + (likely in languages) / 2
        ranked.append(((fit, decoded.language in organisation), decoded))
    return [decoded for _, decoded in sorted(ranked, key=itemgetter(0), reverse=True)]


@lru_cache(maxsize=64)
def _letters(languages: tuple[str, ...]) -> frozenset[str]:
    letters = "".join(_LETTERS[language] for language in languages)
    return frozenset(letters + letters.upper())


def _marks(decoded: _Decoded, languages: tuple[str, ...]) -> tuple[int, int, int]:
    """Of the non-ASCII characters: letters of the languages, letters of no such language, misread ones.

    A symbol within a word, a capital in the middle of one, and a word of two scripts are misread. A letter next to a
    digit is not counted, for it may be a misread currency sign.
    """
    letters = _letters(languages)
    is_latin = decoded.language not in _COMMON_LETTERS
    text = decoded.text
    right = foreign = misread = 0
    for match in _NON_ASCII.finditer(text):
        character = match.group()
        before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
        within = before.isalpha() and after.isalpha()
        mixed = not is_latin and any(near.isascii() and near.isalpha() for near in (before, after))
        if not character.isalpha():
            misread += within and character not in _BETWEEN_LETTERS
        elif mixed or (within and character.isupper() and before.islower()):
            misread += 1
        elif not (before.isdigit() or after.isdigit() or (character in _ORDINALS and not within)):
            right += character in letters
            foreign += character not in letters
    return right, foreign, misread


def _fit(decoded: _Decoded) -> float:
    """From 1, only letters of the language, to -2, none of them."""
    right, foreign, misread = _marks(decoded, (decoded.language,))
    if decoded.language in _COMMON_LETTERS:
        right = round(right * min(1.0, 2 * _common_share(decoded)))
    return (right - 2 * foreign - 2 * misread) / max(1, len(_NON_ASCII.findall(decoded.text)))


def _common_share(decoded: _Decoded) -> float:
    """The share of the language's commonest letters; 0 for a language in Latin letters."""
    common = _COMMON_LETTERS.get(decoded.language, "")
    letters = [letter for letter in decoded.text.lower() if letter.isalpha() and not letter.isascii()]
    return sum(letter in common for letter in letters) / max(1, len(letters))


def _is_plausible(decoded: _Decoded, languages: tuple[str, ...]) -> bool:
    """Whether decoding made words: the code page of another script or system makes none."""
    right, foreign, misread = _marks(decoded, languages)
    if foreign + misread > _MISREAD_SHARE * (right + foreign + misread):
        return False
    if decoded.language in _COMMON_LETTERS:
        return _common_share(decoded) >= _COMMON_SHARE
    words = [word for word in _WORD.findall(decoded.text) if not word.isascii()]
    without_ascii = sum(not any(letter.isascii() for letter in word) for word in words)
    return without_ascii * 2 <= len(words)
