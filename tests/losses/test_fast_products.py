import pytest
import torch
from torch._subclasses import FakeTensorMode

from evenkeel import products
from evenkeel.losses import info_nce
from evenkeel.losses.fast_products import fast_products

MATMUL = torch.backends.mkldnn.matmul
LARGE = torch.zeros(1000, products.FASTER_FROM // 10**6)


@pytest.fixture(autouse=True)
def wanted(monkeypatch):
    monkeypatch.setattr(products, "exact_and_faster", lambda: True)


def inside(left, right):
    with fast_products(left, right):
        return MATMUL.fp32_precision


def test_all_products_of_a_loss_together_count():
    before = MATMUL.fp32_precision
    assert inside(LARGE, LARGE) == "bf16" and inside(LARGE[:10], LARGE[:10]) == before == MATMUL.fp32_precision


def test_wide_and_fake_ones_are_left_alone():
    before = MATMUL.fp32_precision
    assert inside(LARGE.double(), LARGE.double()) == before
    with FakeTensorMode() as mode:
        assert inside(mode.from_tensor(LARGE), mode.from_tensor(LARGE)) == before


@pytest.mark.parametrize("symmetric", [False, True])
def test_a_loss_keeps_its_accuracy(symmetric):
    query, key = torch.randn(2, 700, 64)
    exact = info_nce(query.double(), key.double(), symmetric=symmetric)
    assert abs(info_nce(query, key, symmetric=symmetric).double() - exact) <= 1e-6 * exact
