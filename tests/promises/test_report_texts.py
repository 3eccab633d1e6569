"""The texts of reports: each is used, each that is used exists, and none has the id of another catalogue."""

from __future__ import annotations

import ast
from pathlib import Path

from bots.texts.catalogues import DOMAINS, REPORTS, shipped

HERE = Path(__file__).parents[2]
TEXTS = shipped("en", REPORTS)


def strings() -> tuple[set[str], set[str]]:
    """Every string in the code of reports, and the beginnings of ids that are put together."""
    constants, beginnings = set[str](), set[str]()
    files = [*(HERE / "reports").rglob("*.py"), *(HERE / "amends" / "reports").rglob("*.py")]
    for file in (*files, HERE / "amends/reports/formats.py", HERE / "bots/slack/jobs/reports.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                beginnings.add(str(node.values[0].value))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                constants.add(node.value)
    # `columns("report.column", "figure")` names two parts of an id.
    beginnings |= {f"{constant}." for constant in constants if "." in constant and " " not in constant}
    return constants, {beginning for beginning in beginnings if "." in beginning}


def test_each_text_of_reports_is_used() -> None:
    constants, beginnings = strings()
    assert [id_ for id_ in TEXTS if id_ not in constants and not id_.startswith(tuple(beginnings))] == []


def test_each_text_that_the_code_of_reports_names_exists() -> None:
    ids = {id_ for domain in DOMAINS for id_ in shipped("en", domain)}
    named = set[str]()
    for file in (*(HERE / "reports").rglob("*.py"), *(HERE / "amends" / "reports").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            is_text = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "text" and node.args
            if is_text and isinstance(node.args[0], ast.Constant):
                named.add(str(node.args[0].value))
    assert named
    assert named - ids == set()


def test_no_text_of_reports_has_the_id_of_a_text_in_another_catalogue() -> None:
    others = {id_ for domain in DOMAINS if domain != REPORTS for id_ in shipped("en", domain)}
    assert set(TEXTS) & others == set()
