"""Surprise against Adam's own denominator, and against entries without a past."""

import torch

from evenkeel.observe.surprise import correction, squared_ratio


def test_the_ratio_is_the_squared_step_of_adam_without_a_mean_of_gradients():
    weight = torch.nn.Parameter(torch.zeros(4, dtype=torch.float64))
    optimizer = torch.optim.Adam([weight], lr=1.0, betas=(0.0, 0.9), eps=0.0)
    for scale in (1.0, 2.0, 0.5):
        before = weight.detach().clone()
        weight.grad = scale * torch.tensor([1.0, -2.0, 3.0, 4.0], dtype=torch.float64)
        optimizer.step()
    state = optimizer.state[weight]
    surprise = squared_ratio(weight.grad, state["exp_avg_sq"]) * correction(optimizer.param_groups[0], state["step"])
    torch.testing.assert_close(surprise, (weight.detach() - before).square())


def test_an_entry_without_a_past_is_no_surprise():
    assert squared_ratio(torch.tensor([0.0, 3.0]), torch.zeros(2)).tolist() == [0.0, 0.0]
