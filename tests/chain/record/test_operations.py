import pytest
import torch

from evenkeel.chain.record import operations
from evenkeel.chain.record.operations import describe, kind_of

LISTS = [names for names, _ in operations._KINDS]


def test_no_operation_is_of_two_kinds():
    for position, names in enumerate(LISTS):
        for others in LISTS[position + 1 :]:
            assert not names & others


@pytest.mark.parametrize(("operator", "name", "kind", "writes", "alias"), [
    (torch.ops.aten.addmm.default, "addmm", "linear", (), False),
    (torch.ops.aten.addmm.out, "addmm", "linear", ((5, "out"),), False),
    (torch.ops.aten.relu_.default, "relu", "activation", ((0, "self"),), False),
    (torch.ops.aten.add_.Tensor, "add", "elementwise", ((0, "self"),), False),
    (torch.ops.aten.copy_.default, "copy", "view", ((0, "self"),), False),
    (torch.ops.aten.view.default, "view", "view", (), True),
    (torch.ops.aten.clone.default, "clone", "view", (), False),
    (torch.ops.aten.zeros_like.default, "zeros_like", "factory", (), False),
    (torch.ops.aten.native_batch_norm.default, "native_batch_norm", "norm",
     ((3, "running_mean"), (4, "running_var")), False),
])  # fmt: skip
def test_describe_reads_the_schema(operator, name, kind, writes, alias):
    assert describe(operator) == (name, kind, writes, alias)


@pytest.mark.parametrize("name", sorted(set().union(*LISTS)))
def test_listed_names_are_torchs_own(name):
    """A name that torch does not know would never be met (those of other devices' libraries apart)."""
    elsewhere = ("mkldnn", "miopen", "cudnn", "chunk", "_batch_norm", "_sparse_mm", "_trilinear", "_scaled", "_thnn")
    assert hasattr(torch.ops.aten, name) or name.startswith(elsewhere)


def test_what_is_in_no_list_is_an_operation():
    assert kind_of("cumsum") == "operation"
