"""What the law tests share: a loss's random call, in any dtype, and the plain formula from the loss's own test file."""

import dataclasses
import importlib

import torch

from evenkeel import losses


def example(name, batch=5, dtype=torch.float64, seed=0, tensor_options=True):
    """A random call of a loss; without tensor options where rows are to be regrouped."""
    made = losses.PARTS[name].example(batch, torch.Generator().manual_seed(seed), dtype)
    if tensor_options:
        return made
    return dataclasses.replace(made, options={k: v for k, v in made.options.items() if not torch.is_tensor(v)})


def call(name, made, reduction="mean", output=None):
    """The loss of an example, on other outputs where they are given."""
    output = made.output if output is None else output
    return losses.PARTS[name].call(*output, *made.target, **made.options, reduction=reduction)


def gradients(name, made, reduction="sum"):
    """The loss of an example and its gradient with respect to every output."""
    leaves = [tensor.detach().clone().requires_grad_() for tensor in made.output]
    value = call(name, made, reduction, leaves)
    return value, torch.autograd.grad(value, leaves)


def widened(made):
    """The same call in float64."""

    def double(value):
        return value.double() if torch.is_tensor(value) and value.is_floating_point() else value

    return dataclasses.replace(
        made,
        output=tuple(double(value) for value in made.output),
        target=tuple(double(value) for value in made.target),
        options={name: double(value) for name, value in made.options.items()},
    )


def plain(name, made):
    """The textbook formula from the loss's test file, in the dtype of the call: one value per element or example."""
    return importlib.import_module(f"losses.test_{name}").plain(*made.output, *made.target, **made.options)


def error(value, exact):
    """Largest absolute error; a value that is not finite where the exact one is counts as infinite."""
    gap = (value.double() - exact).abs()
    return float(torch.where(gap.isnan(), torch.inf, gap).max()) if gap.numel() else 0.0


def module_name(name):
    """The name of a loss's module form."""
    return "".join(word.capitalize() for word in name.split("_")) + "Loss"
