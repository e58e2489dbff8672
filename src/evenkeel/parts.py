"""A folder is a registry: each file in it is one part and ends with one frozen record that describes it.

A new loss, head, net, symptom or remedy is one source file and one test file; nobody keeps a list by hand. The folder's
`__init__.py` calls `fill`, which imports every file, collects the records, and binds the public functions and classes
of those that hold one *over* the submodules of the same name: `losses.focal` is always callable. A file without a
record holds code that parts share; a folder is a part if its `__init__.py` holds a record.

Other packages add parts by an entry point in the group `evenkeel.parts`. Its name is the folder, with a further word
where a package adds several to one; its value is a module that holds a record, or a package of such modules:

    [project.entry-points."evenkeel.parts"]
    losses = "my_package.my_loss"
    "nets.wide" = "my_package.wide_net"
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
import warnings
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, TypeVar

from evenkeel.errors import RequestError, choices


@dataclass(frozen=True, kw_only=True)
class Part:
    """What every part says of itself: its name, one line on what it is for, and where it comes from."""

    name: str
    summary: str
    source: str


P = TypeVar("P", bound=Part)
GROUP = "evenkeel.parts"  # of entry points, by which other packages add parts


class Registry(Mapping[str, P], Generic[P]):
    """The parts of one folder by name; an unknown name is an error that lists the known ones.

    Example:
        >>> from evenkeel import losses
        >>> losses.PARTS["focal"].name
        'focal'
    """

    def __init__(self, kind: str, records: Mapping[str, P]) -> None:
        self.kind = kind
        self._records = dict(sorted(records.items()))

    def __getitem__(self, name: str) -> P:
        if name not in self._records:
            raise RequestError(f"no {self.kind} is called {name!r}; {choices(self._records, name)}")
        return self._records[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)

    def __contains__(self, name: object) -> bool:
        return name in self._records


def part_modules(package: ModuleType) -> list[ModuleType]:
    """The files and folders of a package that hold a record, in alphabetical order; what parts share is left out."""
    names = sorted(file.name for file in pkgutil.iter_modules(package.__path__))
    modules = [importlib.import_module(f"{package.__name__}.{name}") for name in names]
    return [module for module in modules if record_of(module) is not None]


def public_names(module: ModuleType) -> list[str]:
    """The functions and classes that a module itself defines and does not hide, in the order of definition."""
    return [
        name
        for name, value in vars(module).items()
        if callable(value) and not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    ]


def record_of(module: ModuleType) -> Part | None:
    """The record that a part ends with; None of a file that parts share."""
    records = [value for value in vars(module).values() if isinstance(value, Part)]
    if len(records) > 1:
        raise TypeError(f"{module.__name__} must hold one record (a Part) at most, it holds {len(records)}")
    return records[0] if records else None


def fill(package_name: str, kind: str, namespace: MutableMapping[str, Any]) -> Registry[Any]:
    """Import every file of a package, bind the public names of its parts in `namespace`, and return the registry.

    Parts that other packages declare are added after the package's own; one that cannot be is left out with a warning.
    """
    records = dict(_bind(module, namespace) for module in part_modules(importlib.import_module(package_name)))
    record_type = type(next(iter(records.values()), None))
    folder = package_name.rpartition(".")[2]
    for point in entry_points(group=GROUP):
        if point.name.partition(".")[0] != folder:
            continue
        try:
            for module in _declared_modules(point):
                _check_declared(module, record_type, records, kind)
                records.update([_bind(module, namespace)])
        except Exception as problem:
            owner = point.dist.name if point.dist is not None else point.module
            warnings.warn(f"the {kind} {point.name!r} of package {owner!r} is left out: {problem}", stacklevel=2)
    return Registry(kind, records)


def _bind(module: ModuleType, namespace: MutableMapping[str, Any]) -> tuple[str, Part]:
    """Put a part's public names into a namespace; its name and record."""
    record = record_of(module)
    if record is None:
        raise TypeError(f"{module.__name__} holds no record (a Part)")
    namespace.update({name: getattr(module, name) for name in public_names(module)})
    return record.name, record


def _declared_modules(point: EntryPoint) -> list[ModuleType]:
    """The modules that an entry point declares: the one it names, or those of the package it names."""
    module = importlib.import_module(point.module)
    return part_modules(module) if record_of(module) is None and hasattr(module, "__path__") else [module]


def _check_declared(module: ModuleType, expected: type, known: Mapping[str, Part], kind: str) -> None:
    """Refuse what is no part of this kind, and a name that is taken."""
    record = record_of(module)
    if record is None or not isinstance(record, expected):
        raise TypeError(f"{module.__name__} must hold a record of type {expected.__name__}")
    if record.name in known:
        raise ValueError(f"there is a {kind} {record.name!r} already")


def stub(package_name: str, record_import: str) -> str:
    """The text of the folder's `__init__.pyi`, so that editors see the names that `fill` binds at run time."""
    package = importlib.import_module(package_name)
    lines = ["# Generated by `make stubs` from the files of this folder; a test keeps it true.", ""]
    imports = [record_import]
    for module in part_modules(package):
        name = module.__name__.rpartition(".")[2]
        imports += [f"from .{name} import {public} as {public}" for public in public_names(module)]
    lines += ["from evenkeel.parts import Registry", "", *sorted(imports)]
    record = record_import.rsplit(maxsplit=1)[-1]
    return "\n".join([*lines, "", f"PARTS: Registry[{record}]", ""])


def write_stub(package_name: str) -> Path:
    """Write a folder's `__init__.pyi`; `python -m evenkeel.parts losses heads ...` does it for several."""
    package = importlib.import_module(package_name)
    record = type(next(iter(package.PARTS.values())))
    path = Path(package.__path__[0]) / "__init__.pyi"
    path.write_text(
        stub(
            package_name, f"from .{record.__module__.rpartition('.')[2]} import {record.__name__} as {record.__name__}"
        )
    )
    return path


if __name__ == "__main__":
    from evenkeel.parts import write_stub as write  # run as a script, this file's own `Part` is another class

    for folder in sys.argv[1:]:
        print(write(f"evenkeel.{folder}"))
