"""A setting is one line: a field of the plan, or of a kind's options, that something reads by its name."""

import ast
import inspect
from pathlib import Path

import pytest

import evenkeel
from evenkeel import heads, kinds, nets
from evenkeel.plan import Plan, ReadBy

ROOT = Path(evenkeel.__file__).parent
OPTIONS = {name for kind in kinds.PARTS.values() for name in kind.options.model_fields}


def attributes_read() -> set[str]:
    """Names that some source file reads off an object."""
    nodes = (node for path in ROOT.rglob("*.py") for node in ast.walk(ast.parse(path.read_text())))
    return {node.attr for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)}


def arguments() -> set[str]:
    """Names of what nets and heads can be told; the plan hands its fields to them by name."""
    calls = [part.call for registry in (nets.PARTS, heads.PARTS) for part in registry.values()]
    return {name for call in calls for name in inspect.signature(call).parameters}


def declared() -> set[str]:
    """Fields of the plan that say of themselves which loss, or which argument of a head, they are."""
    fields = Plan.model_fields.items()
    readers = [(name, each) for name, field in fields for each in field.metadata if isinstance(each, ReadBy)]
    return {name for name, reader in readers if reader.loss or reader.argument}


@pytest.fixture(scope="module")
def read():
    """Every name under which a setting is read."""
    return attributes_read() | arguments() | declared()


@pytest.mark.parametrize("name", sorted({*Plan.model_fields, *OPTIONS}))
def test_something_reads_it(name, read):
    assert name in read, f"nothing reads the setting {name!r}"


def test_a_setting_that_nothing_reads_would_be_found(read):
    assert "widht" not in read
