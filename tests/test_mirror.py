"""Each source file has its test file at the mirrored place: src/evenkeel/a/b.py -> tests/a/test_b.py."""

import ast
from pathlib import Path

import pytest

import evenkeel

ROOT = Path(evenkeel.__file__).parent
TESTS = Path(__file__).parent
SOURCES = [path for path in sorted(ROOT.rglob("*.py")) if path.name != "__init__.py"]


def mirror(source: Path) -> Path:
    """The test file of a source file."""
    folder = source.relative_to(ROOT).parent
    return TESTS / folder / f"test_{source.stem}.py"


def named_tests(path: Path) -> list[str]:
    """Names of the test functions of a file."""
    nodes = ast.walk(ast.parse(path.read_text()))
    return [node.name for node in nodes if isinstance(node, ast.FunctionDef) and node.name.startswith("test")]


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_has_its_test_file(source):
    assert mirror(source).exists(), f"{source.relative_to(ROOT)} needs {mirror(source).relative_to(TESTS)}"
    assert named_tests(mirror(source)), f"{mirror(source).relative_to(TESTS)} holds no test"


def test_a_missing_test_file_would_be_found():
    assert not mirror(ROOT / "losses" / "no_such_loss.py").exists()
    assert mirror(ROOT / "losses" / "reduce.py") == TESTS / "losses" / "test_reduce.py"
    assert mirror(ROOT / "errors.py") == TESTS / "test_errors.py"
    assert len(SOURCES) > 40
