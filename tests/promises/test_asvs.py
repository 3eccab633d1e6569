"""docs/asvs.md has every item of levels 1 and 2 once, and each test that it names exists."""

from __future__ import annotations

import re
from collections import Counter

from tests.source import ROOT, modules

#: The level of each item, in the order of its section (OWASP ASVS 5.0.0).
LEVELS = {
    "1.1": "22", "1.2": "1111122223", "1.3": "112222222223", "1.4": "222", "1.5": "123",
    "2.1": "122", "2.2": "112", "2.3": "12223", "2.4": "23",
    "3.1": "3", "3.2": "113", "3.3": "12223", "3.4": "11222233", "3.5": "11122333", "3.6": "3", "3.7": "22333",
    "4.1": "12233", "4.2": "23333", "4.3": "22", "4.4": "1222",
    "5.1": "2", "5.2": "112333", "5.3": "113", "5.4": "222",
    "6.1": "122", "6.2": "111111112222", "6.3": "11223333", "6.4": "112233", "6.5": "22222333", "6.6": "2223",
    "6.7": "33", "6.8": "2222",
    "7.1": "222", "7.2": "1111", "7.3": "22", "7.4": "11222", "7.5": "223", "7.6": "22",
    "8.1": "1233", "8.2": "1123", "8.3": "133", "8.4": "23",
    "9.1": "111", "9.2": "1222",
    "10.1": "22", "10.2": "223", "10.3": "22223", "10.4": "1111122222233333", "10.5": "22222", "10.6": "22",
    "10.7": "222",
    "11.1": "2233", "11.2": "22233", "11.3": "11233", "11.4": "1222", "11.5": "23", "11.6": "23", "11.7": "33",
    "12.1": "12233", "12.2": "11", "12.3": "22223",
    "13.1": "2333", "13.2": "222223", "13.3": "2233", "13.4": "1222233",
    "14.1": "22", "14.2": "12223333", "14.3": "122",
    "15.1": "12233", "15.2": "12233", "15.3": "1222222", "15.4": "3333",
    "16.1": "2", "16.2": "22222", "16.3": "2222", "16.4": "222", "16.5": "2223",
    "17.1": "23", "17.2": "22223333", "17.3": "22",
}  # fmt: skip
PAGE = (ROOT / "docs" / "asvs.md").read_text(encoding="utf-8")
ROWS = [line.strip("|").split("|") for line in PAGE.splitlines() if re.match(r"\| V\d+\.\d+\.\d+", line)]
STATES = {"met", "partly", "operator", "not met", "not applicable"}


def items(cell: str) -> list[str]:
    """The items that a cell names: `V3.3.1–V3.3.4` are four."""
    named: list[str] = []
    for section, first, last in re.findall(r"V(\d+\.\d+)\.(\d+)(?:–V\d+\.\d+\.(\d+))?", cell):
        named += [f"{section}.{number}" for number in range(int(first), int(last or first) + 1)]
    return named


def test_every_item_of_levels_1_and_2_is_on_the_page_once() -> None:
    expected = {
        f"{section}.{number}"
        for section, levels in LEVELS.items()
        for number, level in enumerate(levels, 1)
        if level != "3"
    }
    listed = Counter(item for row in ROWS for item in items(row[0]))
    assert len(expected) == 253
    assert set(listed) == expected
    assert [item for item, times in listed.items() if times > 1] == []


def test_every_item_has_a_state_and_a_reason() -> None:
    assert [row for row in ROWS if row[1].strip() not in STATES or not row[2].strip()] == []


def test_every_named_test_exists() -> None:
    security = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(tests/[^`]+)`", PAGE + security))
    assert named
    for name in named:
        file, _, function = name.partition("::")
        assert (ROOT / file).exists(), name
        assert not function or f"def {function}(" in (ROOT / file).read_text(encoding="utf-8"), name


def test_no_client_is_told_to_skip_the_check_of_certificates() -> None:
    unsafe = re.compile(
        r"verify\s*=\s*False|CERT_NONE|check_hostname\s*=\s*False|_create_unverified|ssl\s*=\s*False"
    )
    assert [module.path for module in modules() if unsafe.search(module.text)] == []
