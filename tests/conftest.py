"""What all tests share: shape checks on, fixed seeds, the folder of real data, golden files."""

import os
import shutil
import warnings
from pathlib import Path

import pytest

# One thread: with more, small networks spend their time waiting for each other, most of all on a busy machine.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from jaxtyping import install_import_hook

install_import_hook("evenkeel", "beartype.beartype")


def pytest_addoption(parser):
    parser.addoption("--overwrite", action="store_true", help="write the golden files anew instead of comparing")


@pytest.fixture(autouse=True)
def seeded():
    """Every test starts from the same random state, and a test that wants another seed names it."""
    torch.manual_seed(0)
    with warnings.catch_warnings():
        yield


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data sets, or a skip that says how to get it."""
    folder = os.environ.get("EVENKEEL_DATA", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("needs real data sets: set EVENKEEL_DATA to their folder")
    return Path(folder)


@pytest.fixture
def golden(request):
    """Compare a text with `tests/golden/NAME`; `pytest --overwrite` writes it anew."""

    def compare(name: str, text: str) -> None:
        path = Path(__file__).parent / "golden" / name
        if request.config.getoption("--overwrite"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        assert path.exists(), f"no golden file {path.name}: run pytest --overwrite and read what it wrote"
        assert text == path.read_text()

    return compare


@pytest.fixture(scope="session")
def saved_run(tmp_path_factory) -> Path:
    """A saved run of single-label; `harmed` copies it, so that it stays as it is."""
    from _small import small_run  # after the shape checks are installed

    return small_run("single-label").save(tmp_path_factory.mktemp("saved") / "run")


@pytest.fixture
def harmed(saved_run, tmp_path) -> Path:
    """A copy of a saved run, to be changed or damaged."""
    return shutil.copytree(saved_run, tmp_path / "run")
