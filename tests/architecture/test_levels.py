"""`make test` has something of every level: what is marked slow runs elsewhere."""

import ast
from pathlib import Path

import pytest

from tests.architecture.sizes import ROOT

LEVELS = sorted(
    {path.relative_to(ROOT / "tests").parts[0] for path in ROOT.glob("tests/*/**/test_*.py")}
)


@pytest.mark.parametrize("level", LEVELS)
def test_no_level_is_slow_as_a_whole(level: str) -> None:
    files = [ast.parse(path.read_text(encoding="utf-8")) for path in _files(level)]
    assert any(_fast(one) for one in files)


def _files(level: str) -> list[Path]:
    return sorted((ROOT / "tests" / level).rglob("test_*.py"))


def _fast(file: ast.Module) -> list[str]:
    """Names of its tests that are not marked slow, alone or with the whole file."""
    marks = [one for one in file.body if isinstance(one, ast.Assign) and _is_mark(one.targets[0])]
    if any(_is_slow(one.value) for one in marks):
        return []
    return [
        one.name
        for one in ast.walk(file)
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
        and one.name.startswith("test_")
        and not any(map(_is_slow, one.decorator_list))
    ]


def _is_mark(target: ast.expr) -> bool:
    return isinstance(target, ast.Name) and target.id == "pytestmark"


def _is_slow(mark: ast.expr) -> bool:
    return "pytest.mark.slow" in ast.unparse(mark)
