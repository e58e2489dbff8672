"""One version: that of the package's metadata."""

from importlib.metadata import version

import evenkeel
from evenkeel.version import VERSION


def test_one_version_everywhere():
    assert evenkeel.__version__ == VERSION == version("evenkeel")
