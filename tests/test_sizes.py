"""Files and functions stay small: measured over the whole package, offenders by name."""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "regtui"
MOST_LINES_IN_A_FILE = 500
MOST_LINES_IN_A_FUNCTION = 60
NINE_OF_TEN_FUNCTIONS = 30


def sources() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def function_sizes() -> dict[str, int]:
    """Lines of every function and method, nested ones too, from `def` to the last line."""
    sizes: dict[str, int] = {}
    for path in sources():
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                place = f"{path.relative_to(PACKAGE.parent)}:{node.lineno} {node.name}"
                sizes[place] = node.end_lineno - node.lineno + 1
    return sizes


def too_big(sizes: dict[str, int], most: int) -> list[str]:
    over = sorted((size, place) for place, size in sizes.items() if size > most)
    return [f"{place}: {size} lines" for size, place in reversed(over)]


def test_the_package_is_found() -> None:
    assert PACKAGE / "__init__.py" in sources()
    assert function_sizes()


def test_no_file_needs_a_table_of_contents() -> None:
    sizes = {str(path.relative_to(PACKAGE.parent)): len(path.read_bytes().splitlines()) for path in sources()}
    assert too_big(sizes, MOST_LINES_IN_A_FILE) == []


def test_no_function_is_longer_than_a_screen() -> None:
    assert too_big(function_sizes(), MOST_LINES_IN_A_FUNCTION) == []


def test_nine_of_ten_functions_are_short() -> None:
    sizes = function_sizes()
    ordered = sorted(sizes.values())
    ninetieth = ordered[-(-len(ordered) * 9 // 10) - 1]
    longest = too_big(sizes, NINE_OF_TEN_FUNCTIONS)[:10]
    assert ninetieth <= NINE_OF_TEN_FUNCTIONS, f"the 90th percentile is {ninetieth} lines; the longest: {longest}"


def test_every_file_says_its_reason_first() -> None:
    silent = [
        str(path.relative_to(PACKAGE.parent))
        for path in sources()
        if not ast.get_docstring(ast.parse(path.read_bytes()))
    ]
    assert silent == []
