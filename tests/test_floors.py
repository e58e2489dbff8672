"""An import goes only to a lower floor, or to a file of the same floor, never up and never sideways into a folder.

Inside a folder of rooms an import goes only to a room below.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import evenkeel

ROOT = Path(evenkeel.__file__).parent
FLOORS = (
    {"errors", "parts", "shapes", "linear", "products", "svg", "version", "finding"},
    {"losses", "metrics", "chain", "data", "page"},
    {"heads", "nets", "symptoms", "setup"},
    {"task", "plan"},
    {"kinds"},
    {"network", "observe"},
    {"train"},
    {"remedies"},
    {"doctor"},
    {"record"},
    {"report"},
    {"run"},
    {"integrations"},
    {"cli"},
    {"__init__"},
)
FLOOR = {name: number for number, names in enumerate(FLOORS) for name in names}
FOLDERS = {path.name for path in ROOT.iterdir() if (path / "__init__.py").exists()}
FILES = sorted(ROOT.rglob("*.py"))


def place(path: Path) -> str:
    """The folder directly under the package, or the file there, to which a source file belongs."""
    first = path.relative_to(ROOT).parts[0]
    return first.removesuffix(".py")


def imported(tree: ast.AST, package: str) -> Iterator[str]:
    """Full names of what a file imports, anywhere in it; `package` is the one that relative imports start from."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            steps = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*steps, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in (
            "import_module",
            "__import__",
        ):
            yield from (value.value for value in node.args[:1] if isinstance(value, ast.Constant))


def wrong(text: str, path: Path) -> list[str]:
    """Imports of a source file that break the rule."""
    package = ".".join(["evenkeel", *path.relative_to(ROOT).parts[:-1]])
    own, found = place(path), []
    for name in imported(ast.parse(text), package):
        root, _, rest = name.partition(".")
        if root != "evenkeel":
            continue
        target = rest.partition(".")[0]
        target = target if target in FLOOR else "__init__"
        lower = FLOOR[target] < FLOOR[own]
        beside = FLOOR[target] == FLOOR[own] and (target == own or target not in FOLDERS)
        if not lower and not beside:
            found.append(f"{path.relative_to(ROOT)} (floor {FLOOR[own]}) imports {name} (floor {FLOOR[target]})")
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_belongs_to_a_floor_and_imports_downwards(path):
    assert place(path) in FLOOR, f"{path.relative_to(ROOT)} has no floor: add it to FLOORS where it belongs"
    assert wrong(path.read_text(), path) == []


def test_something_is_checked():
    assert len(FILES) > 50
    assert sum(len(list(imported(ast.parse(path.read_text()), "evenkeel"))) for path in FILES) > 300


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("losses/bad.py", "from evenkeel.heads import PARTS"),
        ("losses/bad.py", "from evenkeel.metrics import rmse"),
        ("heads/bad.py", "from evenkeel.nets.blocks import UnitNorm"),
        ("heads/bad.py", "from evenkeel import nets"),
        ("heads/bad.py", "import evenkeel.nets.mlp as mlp"),
        ("heads/bad.py", "from ..nets import MLP"),
        ("heads/bad.py", "from .. import nets"),
        ("errors.py", "import evenkeel.svg.text"),
        ("plan.py", "def f():\n    from evenkeel.train.loop import Loop"),
        ("plan.py", "if TYPE_CHECKING:\n    from evenkeel.train.loop import Loop"),
        ("plan.py", "importlib.import_module('evenkeel.train')"),
        ("record.py", "import evenkeel"),
        ("record.py", "from evenkeel import fit"),
    ],
)
def test_a_bad_import_is_found(place, line):
    assert len(wrong(line, ROOT / place)) == 1


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("heads/good.py", "from evenkeel.heads.base import Head"),
        ("heads/good.py", "from .base import Head"),
        ("heads/good.py", "from evenkeel import losses, metrics"),
        ("svg/good.py", "from evenkeel.errors import DataError"),
        ("network.py", "from evenkeel.plan import Plan"),
        ("record.py", "from evenkeel.version import VERSION"),
        ("__init__.py", "from evenkeel.cli import main"),
        ("errors.py", "import torch, numpy.linalg"),
    ],
)
def test_a_good_import_passes(place, line):
    assert wrong(line, ROOT / place) == []


ROOMS = {
    "kinds": ({"table", "image", "sequence", "text", "graph", "series"}, {"pair"}),
    "chain": ({"record"}, {"graph"}, {"theory"}),
}


def sideways(text: str, path: Path) -> list[str]:
    """Imports from one room of a folder into another that is not below it."""
    folder, *inner = path.relative_to(ROOT).parts
    rooms = {name: number for number, names in enumerate(ROOMS.get(folder, ())) for name in names}
    own = inner[0] if len(inner) > 1 else None
    if own not in rooms:
        return []
    package = ".".join(["evenkeel", *path.relative_to(ROOT).parts[:-1]])
    targets = [name.split(".") for name in imported(ast.parse(text), package)]
    others = [name[2] for name in targets if name[:2] == ["evenkeel", folder] and name[2:3] not in ([], [own])]
    return [name for name in others if name in rooms and rooms[name] >= rooms[own]]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_imports_only_from_rooms_below(path):
    assert sideways(path.read_text(), path) == []


@pytest.mark.parametrize(
    ("place", "line", "bad"),
    [
        ("kinds/text/kind.py", "from evenkeel.kinds.image.kind import IMAGE", ["image"]),
        ("kinds/text/kind.py", "from evenkeel.kinds.pair import PAIR", ["pair"]),
        ("kinds/pair/kind.py", "from evenkeel.kinds.text import TEXT", []),
        ("kinds/text/kind.py", "from evenkeel.kinds.text.read import texts", []),
        ("kinds/text/kind.py", "from evenkeel.kinds.base import Kind", []),
        ("chain/record/link.py", "def f():\n    from evenkeel.chain.theory.expected import law", ["theory"]),
    ],
)
def test_an_import_between_rooms_is_found(place, line, bad):
    assert sideways(line, ROOT / place) == bad
