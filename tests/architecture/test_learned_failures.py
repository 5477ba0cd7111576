"""Each failure that others had is held by a test of ours, which says so."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.architecture.sizes import ROOT

PAGE = (ROOT / "docs/learned-failures.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (2-\d+) \| .+ \| (`.+`) \|$", PAGE, re.MULTILINE)
NAMED = re.compile(r"\b[Rr]ow ((?:2-\d+(?:, )?)+)")


@cache
def named_in(path: Path) -> dict[str, set[str]]:
    """The rows that each test of a file names."""
    source = path.read_text(encoding="utf-8")
    if not NAMED.search(source):
        return {}
    lines = source.splitlines()
    return {
        node.name: {
            row
            for rows in NAMED.findall("\n".join(lines[node.lineno - 1 : node.end_lineno]))
            for row in re.findall(r"2-\d+", rows)
        }
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


@pytest.mark.parametrize(("row", "held_by"), ROWS, ids=[row for row, _held in ROWS])
def test_a_row_is_held_by_tests_that_name_it(row: str, held_by: str) -> None:
    for name in re.findall(r"`([^`]+)`", held_by):
        path, _colons, test = name.partition("::")
        assert row in named_in(ROOT / "tests" / path).get(test, ()), name


def test_every_row_that_a_test_names_is_on_the_page() -> None:
    on_page = {(row, name) for row, held in ROWS for name in re.findall(r"`([^`]+)`", held)}
    named = {
        (row, f"{path.relative_to(ROOT / 'tests')}::{test}")
        for path in (ROOT / "tests").rglob("test_*.py")
        for test, rows in named_in(path).items()
        for row in rows
    }
    assert named - on_page == set()


def test_no_row_is_left_out() -> None:
    numbers = sorted(int(number) for number in re.findall(r"^\| 2-(\d+) \|", PAGE, re.MULTILINE))
    assert numbers == list(range(1, len(numbers) + 1))
