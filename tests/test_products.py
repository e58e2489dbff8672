import pytest
import torch

from evenkeel import products
from evenkeel.products import FASTER_FROM, LARGEST_ERROR, exact_and_faster, fast_products, product_error

CPU = torch.device("cpu")


def setting():
    return torch.backends.mkldnn.matmul.fp32_precision


@pytest.fixture
def willing(monkeypatch):
    """A machine on which oneDNN is the faster one and exact."""
    monkeypatch.setattr(products, "exact_and_faster", lambda: True)


def test_the_setting_holds_inside_and_is_put_back(willing):
    before = setting()
    with fast_products(FASTER_FROM, CPU) as changed:
        assert changed and setting() == "bf16"
    assert setting() == before


def test_the_setting_is_put_back_after_an_exception(willing):
    before = setting()
    with pytest.raises(ValueError, match="inside"), fast_products(FASTER_FROM, CPU):
        raise ValueError("inside")
    assert setting() == before


@pytest.mark.parametrize("size, device", [(FASTER_FROM - 1, "cpu"), (10**12, "cuda")])
def test_small_products_and_other_devices_are_left_alone(willing, size, device):
    before = setting()
    with fast_products(size, torch.device(device)) as changed:
        assert not changed and setting() == before


def test_the_error_is_measured_not_trusted(monkeypatch):
    """On a CPU where the setting means true bfloat16, the error shows it and the setting is not taken."""
    monkeypatch.setattr(products, "_processor", lambda: "AuthenticAMD")
    for error, taken in ((LARGEST_ERROR / 2, True), (2e-3, False)):
        exact_and_faster.cache_clear()
        monkeypatch.setattr(products, "product_error", lambda name, error=error: error)
        assert exact_and_faster() is (taken and torch.backends.mkldnn.is_available())
    exact_and_faster.cache_clear()
    monkeypatch.setattr(products, "_processor", lambda: "GenuineIntel")
    assert exact_and_faster() is False
    exact_and_faster.cache_clear()


def test_the_measured_error_is_that_of_the_product():
    before = setting()
    assert product_error("ieee") < LARGEST_ERROR
    assert setting() == before
    left, right = torch.randn(2, 256, 256, generator=torch.Generator().manual_seed(0))
    exact = left.double() @ right.double()
    coarse = left.bfloat16().double() @ right.bfloat16().double()
    assert (coarse - exact).norm() / exact.norm() > 100 * LARGEST_ERROR, "bfloat16 would be told apart"


def test_where_the_setting_is_taken_products_are_float32s():
    if not exact_and_faster():
        pytest.skip("this CPU keeps its default products")
    left, right = torch.randn(2, 300, 300)
    with fast_products(FASTER_FROM, CPU):
        found = left @ right
    torch.testing.assert_close(found.double(), left.double() @ right.double(), rtol=1e-4, atol=1e-4)
