"""The legend of axis names is the only one: signatures use its words, and they are checked while tests run."""

import ast
import inspect
import typing
from pathlib import Path

import jaxtyping
import pytest
import torch

import evenkeel
from evenkeel import losses, shapes

ROOT = Path(evenkeel.__file__).parent


def test_reduction_is_the_three_words():
    assert typing.get_args(shapes.Reduction) == ("mean", "sum", "none")


def test_everything_promised_is_there():
    assert all(hasattr(shapes, name) for name in shapes.__all__)
    assert shapes.Tensor is torch.Tensor


@pytest.mark.parametrize(
    "word", ["batch", "row", "unit", "label", "member", "column", "step", "view", "channel", "token", "key"]
)
def test_the_legend_says_what_each_word_means(word):
    assert f" {word} " in f" {' '.join(inspect.getdoc(shapes).split())} "


def test_shapes_are_written_with_this_file_alone():
    importers = [
        path.relative_to(ROOT)
        for path in ROOT.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module == "jaxtyping"
    ]
    assert importers == [Path("shapes.py")]


def test_a_wrong_shape_is_caught_in_tests():
    with pytest.raises((jaxtyping.TypeCheckError, evenkeel.errors.ShapeError)):
        losses.info_nce(torch.zeros(3), torch.zeros(3))
