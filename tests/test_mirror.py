"""Parts and public modules have their test file at the mirrored place: src/evenkeel/a/b.py -> tests/a/test_b.py.

A part is a file that holds a record; a module is public where a folder's `__init__.py` or the front door takes names
from it. What they share may be tested through them.
"""

import ast
import importlib
from pathlib import Path

import pytest

import evenkeel
from evenkeel.parts import part_modules

ROOT = Path(evenkeel.__file__).parent
TESTS = Path(__file__).parent


def mirror(source: Path) -> Path:
    """The test file of a source file; that of a folder which is a part lies in the mirrored folder."""
    folder = source.relative_to(ROOT).parent
    return TESTS / folder / f"test_{source.stem}.py"


def part_files() -> set[Path]:
    """The files of all registries that hold a record; of a folder its `kind.py`."""
    packages = [path.parent.name for path in ROOT.glob("*/__init__.py") if "fill(" in path.read_text()]
    modules = [module for name in packages for module in part_modules(importlib.import_module(f"evenkeel.{name}"))]
    files = [Path(module.__file__) for module in modules]
    return {file.parent / "kind.py" if file.name == "__init__.py" else file for file in files}


def public_files() -> set[Path]:
    """The files that some `__init__.py` takes names from."""
    names = {place.removeprefix("evenkeel.") for place in evenkeel._PLACES.values()}
    for path in ROOT.rglob("__init__.py"):
        nodes = ast.walk(ast.parse(path.read_text()))
        modules = [node.module for node in nodes if isinstance(node, ast.ImportFrom) and not node.level]
        names |= {module.removeprefix("evenkeel.") for module in modules if module.startswith("evenkeel.")}
    files = {ROOT / f"{name.replace('.', '/')}.py" for name in names}
    return {file for file in files if file.exists()}


SOURCES = sorted(part_files() | public_files())


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
    assert {ROOT / "losses" / "focal.py", ROOT / "kinds" / "text" / "kind.py"} <= part_files()
    assert {ROOT / "chain" / "trace.py", ROOT / "network.py", ROOT / "parts.py"} <= public_files()
    assert len(SOURCES) > 70
