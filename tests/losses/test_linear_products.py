import pytest
import torch

from evenkeel.losses import linear_products as _linear_products
from evenkeel.losses.linear_products import PIECE, Products, products_of

ROWS, UNITS, TOKENS = 6, 5, PIECE + 3  # two pieces


def inputs(dtype):
    features, weight = torch.randn(ROWS, UNITS).to(dtype), torch.randn(TOKENS, UNITS).to(dtype)
    return features, weight, torch.randint(TOKENS, (ROWS,)), torch.rand(ROWS, TOKENS)


@pytest.mark.parametrize(
    ("dtype", "half"), [(torch.float64, None), (torch.float32, None), (torch.bfloat16, torch.bfloat16)]
)
def test_the_three_products(dtype, half):
    features, weight, _, block = inputs(dtype)
    products, wide = Products(weight, half), torch.promote_types(dtype, torch.float32)
    tolerance = 8e-3 if half else 1e-6
    logits = products.forward(features, products.buffer(9, wide))
    assert logits.shape == (ROWS, TOKENS) and logits.dtype == (half or wide)
    assert close(logits, features.double() @ weight.double().T, tolerance)
    to_weight, block = torch.full((TOKENS, UNITS), torch.nan, dtype=wide), block.to(logits.dtype)
    for kept in (0, 1):  # the first time it holds nothing that counts, the second time it is added to
        found = products.backward(block, products.as_taken(features), to_weight, kept)
        assert found.dtype == to_weight.dtype == wide
        assert close(found, block.double() @ weight.double(), tolerance)
        assert close(to_weight, (1 + kept) * block.double().T @ features.double(), tolerance)


def close(found, exact, tolerance):
    return (found.double() - exact).norm() <= tolerance * exact.norm()


def test_the_true_logit_is_not_rounded():
    features, weight, target, _ = inputs(torch.bfloat16)
    exact = (features.double() @ weight.double().T)[torch.arange(ROWS), target]
    true = Products(weight, torch.bfloat16).true_logits(features, target).double()
    assert torch.allclose(true, exact, rtol=1e-6, atol=1e-6) and not torch.equal(true, true.bfloat16().double())
    assert Products(weight.float(), None).true_logits(features.float(), target) is None


def test_halves_stay_halves_only_where_it_pays(monkeypatch):
    monkeypatch.setattr(_linear_products, "multiplies_bfloat16", lambda: True)
    features, weight = torch.zeros(512, 256, dtype=torch.bfloat16), torch.zeros(512, 256, dtype=torch.bfloat16)
    assert products_of(features, weight).half == torch.bfloat16
    assert products_of(features[:10], weight).half is None  # next to nothing
    assert products_of(features, weight.float()).half is None  # under autocast the weight stays float32
    assert products_of(features.half(), weight.half()).half is None
    monkeypatch.setattr(_linear_products, "multiplies_bfloat16", lambda: False)
    wide = products_of(features, weight)
    assert wide.half is None and wide.weight.dtype == torch.float32


def test_the_processor_is_asked():
    assert _linear_products.multiplies_bfloat16() in (True, False)
