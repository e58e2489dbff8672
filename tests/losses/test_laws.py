"""What every loss promises, tested for every file of the folder."""

import dataclasses
import importlib
import inspect
import json
import math
import re
import subprocess
import sys

import pytest
import torch
from torch._subclasses import FakeTensorMode

from evenkeel import losses
from losses import _cases as cases

NAMES = list(losses.PARTS)
INDEPENDENT = [name for name, part in losses.PARTS.items() if part.batch == "independent"]
DTYPES = [torch.float64, torch.float32, torch.float16, torch.bfloat16]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_error_is_within_the_plain_formulas_own(name, dtype):
    made = cases.example(name, batch=7, dtype=dtype)
    value = cases.call(name, made, "none")
    assert value.dtype == torch.promote_types(dtype, torch.float32)
    exact = cases.plain(name, cases.widened(made))
    assert value.shape == exact.shape
    budget = 8 * torch.finfo(value.dtype).eps * (1 + float(exact.abs().max()))
    assert cases.error(value, exact) <= cases.error(cases.plain(name, made), exact) + budget


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_gradient_is_within_the_plain_formulas_own(name, dtype):
    made = cases.example(name, batch=7, dtype=dtype)
    exact = _plain_gradients(name, cases.widened(made))
    ours, plain = cases.gradients(name, made)[1], _plain_gradients(name, made)
    for mine, simple, true in zip(ours, plain, exact, strict=True):
        assert mine.dtype == dtype
        budget = 8 * torch.finfo(dtype).eps * (1 + float(true.abs().max()))
        assert cases.error(mine, true) <= cases.error(simple, true) + budget


def _plain_gradients(name, made):
    leaves = tuple(tensor.detach().clone().requires_grad_() for tensor in made.output)

    return torch.autograd.grad(cases.plain(name, dataclasses.replace(made, output=leaves)).sum(), leaves)


@pytest.mark.parametrize("name", NAMES)
def test_reductions_agree(name):
    made = cases.example(name, batch=6, tensor_options=False)
    values = cases.call(name, made, "none")
    assert torch.allclose(cases.call(name, made, "sum"), values.sum(), rtol=1e-12)
    assert torch.allclose(cases.call(name, made, "mean"), values.mean(), rtol=1e-12)
    assert values.shape[0] == 6


@pytest.mark.parametrize("name", NAMES)
def test_the_docstring_says_what_the_mean_is_over(name):
    assert re.search(
        r"\b(the|its) mean\s+is\s+(over|that of|the mean of)\b", inspect.getdoc(losses.PARTS[name].call), re.I
    )


@pytest.mark.parametrize(
    "name", [n for n in NAMES if "temperature" in inspect.signature(losses.PARTS[n].call).parameters]
)
def test_a_temperature_can_be_learned(name):
    made = cases.example(name)
    start = made.options.get("temperature", 0.5)
    options = {**made.options, "temperature": start}
    form = getattr(losses, cases.module_name(name))(learn=("temperature",), **options)
    form(*made.output, *made.target).backward()
    above, below = (
        cases.call(name, dataclasses.replace(made, options={**options, "temperature": start * math.exp(step)}))
        for step in (1e-5, -1e-5)
    )
    assert form.log_temperature.grad.item() == pytest.approx(float(above - below) / 2e-5, rel=1e-4)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_values_of_halves_are_finite_at_10000(name, dtype):
    made = cases.example(name, batch=6, dtype=dtype)
    signs = [2 * torch.randint(2, x.shape) - 1 for x in made.output]
    far = dataclasses.replace(made, output=tuple((1e4 * sign).to(dtype) for sign in signs))
    exact = cases.plain(name, cases.widened(far))
    representable = exact.isfinite() & (exact.abs() < torch.finfo(torch.float32).max)
    assert cases.call(name, far, "none")[representable].isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_value_and_gradient_are_finite_at_10000(name, dtype):
    checked = 0
    for seed in range(4):
        made = cases.example(name, batch=6, dtype=dtype, seed=seed)
        generator = torch.Generator().manual_seed(seed)
        far = tuple(1e4 * (2 * torch.randint(2, x.shape, generator=generator) - 1).to(dtype) for x in made.output)
        made = type(made)(output=far, target=made.target, options=made.options)
        exact = cases.plain(name, cases.widened(made))
        representable = exact.isfinite() & (exact.abs() < torch.finfo(dtype).max)
        assert cases.call(name, made, "none")[representable].isfinite().all()
        tame = type(made)(output=_tamed(far, representable), target=made.target, options=made.options)
        assert all(gradient.isfinite().all() for gradient in cases.gradients(name, tame)[1])
        checked += int(representable.sum())
    assert checked >= 4, "the plain formula must stay finite somewhere, or nothing is tested"


def _tamed(output, representable):
    """The outputs with 0 where the exact loss is not representable; a loss over all rows is kept or not as a whole."""

    def tame(x):
        if x.shape[: representable.ndim] != representable.shape:
            return x if representable.all() else torch.zeros_like(x)
        return torch.where(representable.reshape(*representable.shape, *[1] * (x.ndim - representable.ndim)), x, 0.0)

    return tuple(tame(x) for x in output)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("name", NAMES)
def test_an_empty_batch_is_zero(name, reduction):
    value, found = cases.gradients(name, cases.example(name, batch=0), reduction)
    assert value == 0
    assert all((gradient == 0).all() for gradient in found)


@pytest.mark.parametrize("name", NAMES)
def test_one_row_is_finite(name):
    value, found = cases.gradients(name, cases.example(name, batch=1), "mean")
    assert value.shape == () and value.isfinite()
    assert all(gradient.isfinite().all() for gradient in found)


@pytest.mark.parametrize("name", NAMES)
def test_gradcheck(name):
    made = cases.example(name, batch=3)
    leaves = [tensor.clone().requires_grad_() for tensor in made.output]
    assert torch.autograd.gradcheck(lambda *output: cases.call(name, made, "sum", output), leaves)


@pytest.mark.parametrize("name", NAMES)
def test_second_derivatives_are_right_or_refused(name):
    made = cases.example(name, batch=3)
    leaves = [tensor.clone().requires_grad_() for tensor in made.output]
    if losses.PARTS[name].derivatives == "any order":
        assert torch.autograd.gradgradcheck(lambda *output: cases.call(name, made, "sum", output), leaves)
        return
    first = torch.autograd.grad(cases.call(name, made, "sum", leaves), leaves, create_graph=True)
    with pytest.raises(RuntimeError, match=r"cannot be differentiated again|derivative for"):
        sum((gradient**2).sum() for gradient in first).backward()


@pytest.mark.parametrize("name", INDEPENDENT)
def test_an_ensemble_in_front_shares_the_target(name):
    made = cases.example(name, tensor_options=False)
    other = cases.example(name, seed=1, tensor_options=False)
    outputs = [torch.stack(pair) for pair in zip(made.output, other.output, strict=True)]
    together = cases.call(name, made, "none", outputs)
    apart = [cases.call(name, made, "none"), cases.call(name, made, "none", other.output)]
    assert torch.allclose(together, torch.stack(apart))


@pytest.mark.parametrize("name", INDEPENDENT)
def test_vmap_gives_the_gradient_of_each_row(name):
    made = cases.example(name, tensor_options=False)
    count = len(made.output)

    def of_row(*row):
        return losses.PARTS[name].call(*row, **made.options, reduction="sum")

    per_row = torch.func.vmap(torch.func.grad(of_row, argnums=tuple(range(count))))(*made.output, *made.target)
    for found, expected in zip(per_row, cases.gradients(name, made)[1], strict=True):
        assert torch.allclose(found, expected)


@pytest.mark.parametrize("name", NAMES)
def test_functional_gradient_agrees(name):
    made = cases.example(name)
    every = tuple(range(len(made.output)))
    found = torch.func.grad(lambda *output: cases.call(name, made, "sum", output), every)(*made.output)
    for mine, expected in zip(found, cases.gradients(name, made)[1], strict=True):
        assert torch.allclose(mine, expected)


@pytest.mark.parametrize("name", NAMES)
def test_autocast_changes_nothing(name):
    made = cases.example(name, dtype=torch.float32)
    value, found = cases.gradients(name, made)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        again, found_again = cases.gradients(name, made)
    assert again.dtype == torch.float32 and torch.equal(value, again)
    assert all(torch.equal(*pair) for pair in zip(found, found_again, strict=True))


@pytest.mark.parametrize("reduction", ["mean", "none"])
@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_read_back_to_the_host(name, reduction):
    made = cases.example(name, dtype=torch.float32)
    with FakeTensorMode() as mode:

        def fake(value):
            return mode.from_tensor(value) if torch.is_tensor(value) else value

        made = type(made)(
            output=tuple(fake(x).requires_grad_() for x in made.output),
            target=tuple(fake(x) for x in made.target),
            options={key: fake(value) for key, value in made.options.items()},
        )
        value = cases.call(name, made, reduction)  # a fake tensor has no numbers: reading one raises
        assert len(torch.autograd.grad(value.sum(), made.output)) == len(made.output)


@pytest.mark.parametrize("name", NAMES)
def test_the_module_form_computes_the_same(name):
    made = cases.example(name)
    form = getattr(losses, cases.module_name(name))
    assert torch.equal(form(**made.options)(*made.output, *made.target), cases.call(name, made))


@pytest.mark.parametrize("name", NAMES)
def test_the_record_and_the_signature_agree(name):
    part = losses.PARTS[name]
    parameters = inspect.signature(part.call).parameters
    assert part.call.__name__ == name and part.summary and part.source
    assert parameters["reduction"].default == "mean"
    assert all(p.default is not p.empty for p in parameters.values() if p.kind is p.KEYWORD_ONLY)
    assert importlib.import_module(part.call.__module__).__doc__


COMPILE = """
import json, torch
from evenkeel import losses
torch.set_num_threads(1)
failed = {}
for name, part in losses.PARTS.items():
    made = part.example(6, torch.Generator().manual_seed(0), torch.float32)
    def call(*output):
        return part.call(*output, *made.target, **made.options)
    def run(function):
        leaves = [x.clone().requires_grad_() for x in made.output]
        value = function(*leaves)
        return [value, *torch.autograd.grad(value, leaves)]
    try:
        torch._dynamo.reset()
        torch.testing.assert_close(run(torch.compile(call, fullgraph=True, backend="eager")), run(call))
    except Exception as error:
        failed[name] = f"{type(error).__name__}: {error}"[:600]
print(json.dumps({"names": list(losses.PARTS), "failed": failed}))
"""


def test_every_loss_compiles_to_one_graph():
    """In a process of its own, where shapes are not checked: the checks themselves cannot be traced."""
    done = subprocess.run([sys.executable, "-c", COMPILE], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {"names": NAMES, "failed": {}}
