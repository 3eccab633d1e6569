"""Find the encoding of a foreign CSV file: a byte order mark, UTF-8, UTF-16 or an old code page.

In one code page a byte is "ş", in another "þ" or "º"; only the words show which was meant. charset-normalizer judges
how odd the text of each code page is. Where two texts are about as odd, misread letters within words decide, and the
language of the ASCII words.
The whole file is read once before it is parsed, in chunks: a single byte near its end can decide, and a large file
need not fit into memory.
"""

import codecs
import gzip
import io
import re
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
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
#: Code pages with the languages written in them. Those of DOS and Macintosh are rarer.
_DOS_AND_MACINTOSH: Mapping[str, Sequence[str]] = _TABLES["dos_and_macintosh"]
_CODE_PAGES: Mapping[str, Sequence[str]] = {**_TABLES["windows_and_iso"], **_DOS_AND_MACINTOSH}
_LANGUAGES = tuple({language: None for languages in _CODE_PAGES.values() for language in languages})
#: Letters outside A to Z of the languages that have two code pages of Windows and ISO.
_LETTERS: Mapping[str, str] = _TABLES["letters"]
#: charset-normalizer overlooks misread letters in one line, so a short sample is repeated up to this length.
_LONG_ENOUGH = 2_000

_ASCII_WORD = re.compile(r"[a-zA-Z]{2,}")
_NON_ASCII = re.compile(r"[^\x00-\x7f]")
#: A symbol or a capital within a word, and letters of Icelandic alone, which Turkish ones are mistaken for.
#: Apostrophes and dashes are between letters in correct texts.
_MISREAD = re.compile(
    r"(?<=[^\W\d_])(?:[^\w\s\x00-\x7f’‘´–—…]|[²³¹¼½¾])(?=[^\W\d_])"
    r"|(?<=[^\W\d_])[±¶¬]|[ÞþÐð]|(?<=[a-zß-ÿ])[À-ÞŠŽŒŸ](?=[a-zß-ÿ])"
)


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
    return _code_page(bytes(utf8.sample), frozenset(languages))


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


def _code_page(sample: bytes, organisation: frozenset[str]) -> str:
    """The code page that a sample of lines fits best; raises UnreadableTable where none fits."""
    from charset_normalizer import from_bytes  # both take a moment to load, and UTF-8 does not need them

    from triage.text import guess_language

    sample = sample[:_DECODED]
    ascii_words = " ".join(_ASCII_WORD.findall(sample.decode("ascii", "replace")))
    likely = guess_language(ascii_words, _LANGUAGES)
    sample *= -(-_LONG_ENOUGH // len(sample))
    # Many short pieces: in five long ones, the default, a misread letter now and then is overlooked.
    matches = from_bytes(
        sample, cp_isolation=list(_CODE_PAGES), preemptive_behaviour=False, steps=20, chunk_size=64
    )
    misfits = {
        code_page: (_misfit(str(match), match.chaos, code_page, likely), organisation.isdisjoint(languages))
        for match in matches
        for code_page, languages in _CODE_PAGES.items()
        if code_page in match.could_be_from_charset
    }
    if misfits:
        return min(misfits, key=lambda code_page: misfits[code_page])
    raise UnreadableTable(
        "The encoding of the file cannot be recognised: save it as UTF-8, or name its encoding in the "
        "mapping file (--map), [file] encoding."
    )


def _misfit(text: str, chaos: float, code_page: str, likely: str) -> float:
    """How odd a decoded sample is, from 0; `likely` is the language of its ASCII words."""
    from triage.text import guess_language

    languages = tuple(_CODE_PAGES[code_page])
    characters = _NON_ASCII.findall(text)
    letters = _LETTERS.get(guess_language(text, languages))
    foreign = [
        letter for letter in characters if letters and letter.isalpha() and letter.lower() not in letters
    ]
    misread = (len(_MISREAD.findall(text)) + len(foreign)) / max(1, len(characters))
    rarity = 0.01 if code_page in _DOS_AND_MACINTOSH else 0.0
    return chaos + 0.2 * misread + rarity + (0.0 if likely in languages else 0.05)
