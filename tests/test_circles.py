"""No files import each other in a circle, wherever in the file the import stands."""

import ast
from collections.abc import Mapping
from pathlib import Path

import evenkeel

ROOT = Path(evenkeel.__file__).parent


def module_files(root: Path) -> dict[str, Path]:
    """The files of a package by the full names of their modules."""
    found = {}
    for path in root.rglob("*.py"):
        parts = (root.name, *path.relative_to(root).with_suffix("").parts)
        found[".".join(parts).removesuffix(".__init__")] = path
    return found


def imports(text: str, files: Mapping[str, Path]) -> set[str]:
    """The modules of the package that a file imports by absolute name, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            full = [f"{node.module}.{alias.name}" for alias in node.names]
            names |= {name if name in files else str(node.module) for name in full}
    return names & set(files)


def circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Groups of modules of which each reaches all the others (those of one module left out)."""
    reached = {name: _reachable(graph, name) for name in graph}
    groups = {frozenset(other for other in reached[name] if name in reached[other]) for name in graph}
    return sorted(sorted(group) for group in groups if group)


def _reachable(graph: Mapping[str, set[str]], start: str) -> set[str]:
    seen: set[str] = set()
    stack = [start]
    while stack:
        for name in graph[stack.pop()] - seen:
            seen.add(name)
            stack.append(name)
    return seen


def test_no_circle_of_imports():
    files = module_files(ROOT)
    graph = {name: imports(path.read_text(), files) - {name} for name, path in files.items()}
    assert sum(map(len, graph.values())) > 1000
    assert circles(graph) == []


def test_a_circle_is_found_also_inside_functions():
    files = {"p.a": Path("a"), "p.b": Path("b"), "p.c": Path("c")}
    texts = {"p.a": "from p import b", "p.b": "def f():\n    from p.c import x", "p.c": "import p.a"}
    graph = {name: imports(text, files) for name, text in texts.items()}
    assert graph == {"p.a": {"p.b"}, "p.b": {"p.c"}, "p.c": {"p.a"}}
    assert circles(graph) == [["p.a", "p.b", "p.c"]]
    assert circles({"p.a": {"p.b"}, "p.b": set()}) == []
