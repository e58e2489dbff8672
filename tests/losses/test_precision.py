import pytest
import torch

from evenkeel.losses.precision import exact_products, widen


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (torch.float16, torch.float32),
        (torch.bfloat16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ],
    ids=str,
)
def test_only_half_precision_is_widened(given, expected):
    assert widen(torch.zeros(1, dtype=given)).dtype == expected


def test_products_stay_exact_under_autocast():
    matrix = torch.randn(4, 4)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert (matrix @ matrix).dtype == torch.bfloat16
        with exact_products(matrix):
            assert (matrix @ matrix).dtype == torch.float32
