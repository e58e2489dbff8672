"""`evenkeel parts` lists what the folders hold."""

import importlib

import pytest

from cli._terminal import invoke
from evenkeel.cli.parts import KINDS
from evenkeel.plan import Plan


@pytest.mark.parametrize("kind", ["losses", "heads", "nets", "metrics", "symptoms"])
def test_every_part_of_a_folder_is_listed(kind):
    result = invoke("parts", kind)
    assert result.exit_code == 0
    for name in importlib.import_module(f"evenkeel.{kind}").PARTS:
        assert name in result.output


def test_settings_with_their_defaults():
    output = invoke("parts", "settings").output
    assert all(name in output for name in Plan.model_fields)


def test_all_kinds_without_an_argument():
    output = invoke("parts").output
    assert all(kind in output for kind in KINDS) and "sample:wine" in output


def test_an_unknown_kind_is_a_usage_error():
    result = invoke("parts", "hats")
    assert result.exit_code == 2 and "hats" in result.output
