import torch

from evenkeel.losses.labelled import contrast


def test_rows_may_be_a_part_of_the_keys():
    key, labels, weight = torch.randn(9, 3).double(), torch.arange(9) % 3, torch.rand(9).double()
    for denominator in ("negatives", "all"):
        whole_key = key.clone().requires_grad_()
        whole = contrast(whole_key, whole_key.view_as(whole_key), labels, labels, 0, denominator)
        assert whole.positives.tolist() == [2.0] * 9
        part_key = key.clone().requires_grad_()
        parts = [contrast(part_key[a : a + 3], part_key, labels[a : a + 3], labels, a, denominator) for a in (0, 3, 6)]
        together = torch.cat([part.value for part in parts])
        assert torch.allclose(together, whole.value)
        gradients = [
            torch.autograd.grad((value * weight).sum(), x)[0]
            for value, x in ((whole.value, whole_key), (together, part_key))
        ]
        assert torch.allclose(*gradients)
