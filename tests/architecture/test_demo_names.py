"""Journeys of a worker share one program: no two of them may name their business alike."""

import ast
from collections.abc import Iterator
from pathlib import Path

JOURNEYS = Path("tests/browser")


def test_no_two_journeys_name_their_business_alike() -> None:
    """Which files share a program is the scheduler's choice: a clash would show now and then."""
    seen: dict[str, str] = {}
    clashes = []
    for file in sorted(JOURNEYS.glob("test_*.py")):
        for name, line in _names(ast.parse(file.read_text())):
            place = f"{file.name}:{line}"
            if name in seen:
                clashes.append(f"{name}: {seen[name]} and {place}")
            seen[name] = place
    assert clashes == []
    assert len(seen) > 50


def _names(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="staged"), args=[_, given, *_]):
                yield from _words(given)
            case ast.Assign(targets=[ast.Name(id="slug")], value=given):
                yield from _words(given)
            case ast.Call(
                func=ast.Attribute(attr="parametrize"),
                args=[ast.Tuple(elts=[ast.Constant(value="slug"), *_]), ast.List(elts=rows)],
            ):
                for row in rows:
                    if isinstance(row, ast.Tuple):
                        yield from _words(row.elts[0])


def _words(given: ast.expr) -> Iterator[tuple[str, int]]:
    match given:
        case ast.Constant(value=str(word)):
            yield word, given.lineno
        case ast.IfExp(body=one, orelse=other):
            yield from _words(one)
            yield from _words(other)
