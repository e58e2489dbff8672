"""The front door: few names, and nothing heavy behind it until it is used."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

import evenkeel

LAZY = """
import sys, json
import evenkeel
print(json.dumps(sorted(name for name in sys.modules)))
"""


@pytest.fixture(scope="module")
def loaded():
    """Names of all modules that a fresh interpreter holds after `import evenkeel`."""
    path = str(Path(evenkeel.__file__).parents[1])
    code = f"import sys; sys.path.insert(0, {path!r}){LAZY}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_at_most_twelve_names():
    assert 0 < len(evenkeel.__all__) <= 12
    assert sorted(evenkeel.__all__) == evenkeel.__all__


@pytest.mark.parametrize("name", evenkeel.__all__)
def test_every_name_is_there_and_listed(name):
    assert getattr(evenkeel, name) is not None
    assert name in dir(evenkeel)
    assert getattr(evenkeel, name) is getattr(evenkeel, name)


def test_import_loads_none_of_its_own_folders(loaded):
    assert "evenkeel" in loaded
    assert [name for name in loaded if name.startswith("evenkeel.")] == ["evenkeel.version"]


@pytest.mark.parametrize("heavy", ["torch", "sklearn", "polars", "pandas", "pydantic", "numpy", "jaxtyping", "click"])
def test_import_loads_nothing_heavy(loaded, heavy):
    assert heavy not in loaded


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(
        AttributeError, match=r"module 'evenkeel' has no attribute 'fitt'; there are: Network, Run, checkup, fit"
    ):
        evenkeel.fitt  # noqa: B018


def test_star_gives_the_promised_names():
    namespace: dict[str, object] = {}
    exec("from evenkeel import *", namespace)
    assert set(evenkeel.__all__) <= set(namespace)


def test_version_agrees_with_what_is_installed():
    metadata = importlib.import_module("importlib.metadata")
    assert metadata.version("evenkeel") == evenkeel.__version__


def test_typed():
    assert (Path(evenkeel.__file__).parent / "py.typed").exists()
