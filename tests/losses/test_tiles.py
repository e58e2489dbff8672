import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from evenkeel import losses
from evenkeel.losses.tiles import CPU_TILE, LEAST_ROWS, tiles

CPU = torch.device("cpu")


def test_tiles_cover_every_row_once():
    cut = list(tiles(1000, 4096, CPU))
    assert [first for first, _ in cut] == [0, *[last for _, last in cut[:-1]]] and cut[-1][1] == 1000
    assert cut[0][1] * 4096 <= CPU_TILE
    assert next(tiles(40, 10**9, CPU)) == (0, LEAST_ROWS)
    assert list(tiles(0, 5, CPU)) == []


class Largest(TorchDispatchMode):
    """The number of elements of the largest tensor that any operation gives."""

    def __init__(self):
        super().__init__()
        self.size = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        found = function(*args, **(kwargs or {}))
        for x in found if isinstance(found, tuple | list) else (found,):
            self.size = max(self.size, x.numel() if torch.is_tensor(x) else 0)
        return found


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("info_nce", {}),
        ("info_nce", {"symmetric": True}),
        ("info_nce", {"reduction": "none"}),
        ("nt_xent", {}),
        ("nt_xent_from_labels", {"denominator": "negatives"}),
        ("nt_xent_from_labels", {"denominator": "all"}),
    ],
)
def test_no_matrix_of_all_pairs_exists_at_any_time(name, options):
    rows = 3000
    left, right = torch.randn(2, rows, 4).requires_grad_()
    arguments = (left, torch.arange(rows) // 2) if "labels" in name else (left, right)
    with Largest() as largest:
        losses.PARTS[name].call(*arguments, **options).sum().backward()
    assert 0 < largest.size <= CPU_TILE < rows**2 / 10


def test_no_matrix_of_all_logits_exists_at_any_time():
    features, weight = torch.randn(4000, 4, requires_grad=True), torch.randn(500, 4, requires_grad=True)
    for reduction in ("mean", "none"):
        with Largest() as largest:
            loss = losses.linear_cross_entropy(features, weight, torch.arange(4000) % 500, reduction=reduction)
            loss.sum().backward()
        assert 0 < largest.size <= 4000 * 500 / 5
