"""The folder is the registry: a new part is one file."""

import importlib
import sys
import textwrap

import pytest

from evenkeel import losses, metrics
from evenkeel.errors import RequestError
from evenkeel.parts import Part, Registry, fill, part_modules, public_names, record_of, stub, write_stub


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A package with two parts and a helper."""
    package = tmp_path / "zoo_of_parts"
    package.mkdir()
    (package / "__init__.py").write_text("")
    for name in ("zebra", "ant"):
        (package / f"{name}.py").write_text(
            textwrap.dedent(f"""
            from math import floor
            from evenkeel.parts import Part
            from zoo_of_parts.help import helper
            def {name}(): return "{name}"
            def _hidden(): return None
            RECORD = Part(name="{name}", summary="an animal", source="nature")
            """)
        )
    (package / "help.py").write_text("def helper(): return 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield package
    for name in [name for name in sys.modules if name.startswith("zoo_of_parts")]:
        del sys.modules[name]


def test_fill_finds_every_part_and_binds_functions_over_submodules(folder):
    namespace = {}
    registry = fill("zoo_of_parts", "animal", namespace)
    assert list(registry) == ["ant", "zebra"]
    assert namespace["ant"]() == "ant"
    assert set(namespace) == {"ant", "zebra"}


def test_a_new_file_is_a_new_part(folder):
    text = (folder / "ant.py").read_text().replace("ant", "bee")
    (folder / "bee.py").write_text(text)
    assert list(fill("zoo_of_parts", "animal", {})) == ["ant", "bee", "zebra"]


def test_helpers_are_no_parts_and_imports_are_not_public(folder):
    module = importlib.import_module("zoo_of_parts.ant")
    package = importlib.import_module("zoo_of_parts")
    assert [part.__name__ for part in part_modules(package)] == ["zoo_of_parts.ant", "zoo_of_parts.zebra"]
    assert record_of(importlib.import_module("zoo_of_parts.help")) is None
    assert public_names(module) == ["ant"]
    assert record_of(module).name == "ant"


def test_a_part_file_ends_with_one_record(folder):
    text = (folder / "ant.py").read_text() + 'MORE = Part(name="more", summary="", source="")\n'
    (folder / "ant.py").write_text(text)
    with pytest.raises(TypeError, match=r"one record .* at most, it holds 2"):
        fill("zoo_of_parts", "animal", {})


def test_a_folder_with_a_record_is_a_part(folder):
    (folder / "bee").mkdir()
    (folder / "bee" / "wings.py").write_text("def flap(): return 2\n")
    (folder / "bee" / "__init__.py").write_text((folder / "ant.py").read_text().replace("ant", "bee"))
    assert list(fill("zoo_of_parts", "animal", {})) == ["ant", "bee", "zebra"]


def test_registry_by_name():
    part = Part(name="b", summary="", source="")
    registry = Registry("thing", {"b": part, "a": Part(name="a", summary="", source="")})
    assert list(registry) == ["a", "b"]
    assert len(registry) == 2
    assert "b" in registry
    assert "c" not in registry
    assert registry["b"] is part
    with pytest.raises(RequestError, match=r"no thing is called 'bb'; did you mean 'b'\? There are: 'a', 'b'"):
        registry["bb"]


def test_a_record_cannot_be_changed():
    with pytest.raises(AttributeError):
        losses.PARTS["focal"].name = "other"


def test_functions_stay_bound_after_their_module_is_imported():
    for _ in range(2):
        importlib.import_module("evenkeel.losses.focal")
        assert callable(losses.focal)
        assert callable(metrics.rmse)


def test_stub_names_every_part_and_its_file(folder):
    text = stub("zoo_of_parts", "from evenkeel.parts import Part as Part")
    assert "from .ant import ant as ant\nfrom .zebra import zebra as zebra" in text
    assert text.endswith("PARTS: Registry[Part]\n")
    assert ".help" not in text


def test_a_stub_is_written_into_its_folder(folder):
    (folder / "__init__.py").write_text(
        "from evenkeel.parts import fill\nPARTS = fill(__name__, 'animal', globals())\n"
    )
    path = write_stub("zoo_of_parts")
    assert path == folder / "__init__.pyi"
    assert path.read_text() == stub("zoo_of_parts", "from .parts import Part as Part")


def declare(folder, text, **files):
    """Put a package beside the folder of parts that declares `text` as its entry points, as an installed one does."""
    package = folder.parent / "other_animals"
    package.mkdir()
    for name, content in {"__init__": "", **files}.items():
        (package / f"{name}.py").write_text(content)
    metadata = folder.parent / "other_animals-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: other-animals\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[evenkeel.parts]\n{text}\n")
    importlib.invalidate_caches()


@pytest.fixture
def part_text(folder):
    """The text of a part file by its name."""
    yield lambda name: (folder / "ant.py").read_text().replace("ant", name)
    for name in [name for name in sys.modules if name.startswith("other_animals")]:
        del sys.modules[name]


def test_another_package_adds_a_part(folder, part_text):
    declare(folder, "zoo_of_parts = other_animals.bee\nlosses = other_animals.none", bee=part_text("bee"))
    namespace = {}
    assert list(fill("zoo_of_parts", "animal", namespace)) == ["ant", "bee", "zebra"]
    assert namespace["bee"]() == "bee"


def test_another_package_adds_a_whole_folder_and_single_parts_under_further_words(folder, part_text):
    declare(folder, "zoo_of_parts = other_animals\nzoo_of_parts.more = zoo_of_parts_more", bee=part_text("bee"))
    (folder.parent / "zoo_of_parts_more.py").write_text(part_text("cow"))
    assert list(fill("zoo_of_parts", "animal", {})) == ["ant", "bee", "cow", "zebra"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("1 / 0\n", "division by zero"),
        ("x = 1\n", "must hold a record of type Part"),
        (None, "there is a animal 'ant' already"),
    ],
)
def test_a_part_of_another_package_that_cannot_be_used_is_left_out_with_a_warning(folder, part_text, content, message):
    declare(folder, "zoo_of_parts = other_animals.bee", bee=part_text("ant") if content is None else content)
    with pytest.warns(UserWarning, match=f"'zoo_of_parts' of package 'other-animals' is left out: .*{message}"):
        registry = fill("zoo_of_parts", "animal", {})
    assert list(registry) == ["ant", "zebra"]
