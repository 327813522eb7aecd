"""The measures of the house: what is too long, too crowded or too tangled to be read in one go."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from radon.complexity import cc_visit

from tests.support.processes import ROOT

FILE_LINES, FUNCTION_LINES, COMPLEXITY, FILES_IN_A_ROOM = 300, 40, 12, 12
LARGE = {"models", "dashboard/pages", "benchmarks"}
"""A table, a page or a figure each: there are as many files as there are of these."""
OURS = (
    "benchmarks",
    "cli",
    "dashboard",
    "demo",
    "migrations",
    "models",
    "outbound",
    "reconcile",
    "scim",
    "serving",
)


def sources() -> Iterator[tuple[str, str]]:
    """Path and text of every file of the product; a version of the schema is as long as the schema."""
    paths = [*ROOT.glob("*.py"), *(path for room in OURS for path in (ROOT / room).rglob("*.py"))]
    for path in paths:
        if path.parent.name != "versions":
            yield path.relative_to(ROOT).as_posix(), path.read_text("utf-8")


def test_no_file_is_longer_than_can_be_read_in_one_go() -> None:
    assert [path for path, text in sources() if text.count("\n") > FILE_LINES] == []


def test_no_function_is_longer_than_a_screen() -> None:
    found = [
        f"{path}:{node.lineno} {node.name}"
        for path, text in sources()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno >= FUNCTION_LINES
    ]
    assert found == []


def test_no_function_is_more_tangled_than_radon_allows() -> None:
    found = [
        f"{path}:{block.lineno} {block.name} ({block.complexity})"
        for path, text in sources()
        for block in cc_visit(text)
        if block.letter != "C" and block.complexity > COMPLEXITY
    ]
    assert found == []


def test_no_room_holds_more_files_than_can_be_kept_in_mind() -> None:
    rooms = Counter(str(Path(path).parent) for path, _ in sources() if Path(path).name != "__init__.py")
    assert {
        room: files for room, files in rooms.items() if files > FILES_IN_A_ROOM and room not in LARGE
    } == {}


def test_nothing_outside_tests_imports_from_there() -> None:
    assert [path for path, text in sources() if "from tests" in text or "import tests" in text] == []
