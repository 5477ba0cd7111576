"""The size of functions and files: small ones stay readable, and this says when one is not.

python -m tests.architecture.sizes     prints the figures, fails past the limits
"""

import ast
import sys
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[2]
FILE_LINES, TEST_FILE_LINES = 400, 500
FUNCTION_LINES, NINE_IN_TEN, MEDIAN_LINES = 60, 30, 10


def python_files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def function_sizes(path: Path) -> list[tuple[int, str]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [
        (node.end_lineno - node.lineno + 1, f"{path.relative_to(ROOT)}:{node.lineno} {node.name}")
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno
    ]


def long_files() -> list[str]:
    limits = [("src", FILE_LINES), ("benchmarks", FILE_LINES), ("tests", TEST_FILE_LINES)]
    return [
        f"{path.relative_to(ROOT)} has {lines} lines, {limit} are allowed"
        for folder, limit in limits
        for path in python_files(folder)
        if (lines := path.read_text(encoding="utf-8").count("\n")) > limit
    ]


def problems() -> list[str]:
    found = long_files()
    sizes = sorted(size for path in python_files("src") for size in function_sizes(path))
    found += [
        f"{where} has {lines} lines, {FUNCTION_LINES} are allowed"
        for lines, where in sizes
        if lines > FUNCTION_LINES
    ]
    lengths = [lines for lines, _where in sizes]
    if median(lengths) > MEDIAN_LINES:
        found.append(f"the median function has {median(lengths)} lines, aim at {MEDIAN_LINES}")
    if (tenth := lengths[int(len(lengths) * 0.9)]) > NINE_IN_TEN:
        found.append(f"a tenth of the functions have over {tenth} lines, aim at {NINE_IN_TEN}")
    return found


def main() -> None:
    found = problems()
    for problem in found:
        sys.stdout.write(f"{problem}\n")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
