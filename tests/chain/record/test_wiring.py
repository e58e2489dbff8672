import pytest
import torch

from evenkeel.chain.record.reading import Reading
from evenkeel.chain.record.wiring import Flow, Wiring


def pass_over():
    """y = a·x² + x, seen at x: a total of 2ax + 1 that consists of two flows."""
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    middle = x * 1.0
    squared = 3.0 * middle * middle
    total = squared + middle
    return x, middle, total.sum()


def test_numbered_wiring_reads_another_graph_of_the_same_shape():
    _, middle, loss = pass_over()
    node, whole, part = middle.grad_fn, Reading([]), Reading([])
    wiring = Wiring(totals={node: [whole]}, flows=[Flow(part, ((loss.grad_fn.next_functions[0][0], 1),))])
    with wiring.reading():
        loss.backward()
    numbered = wiring.numbered({node: 0, loss.grad_fn.next_functions[0][0]: 1})
    first = whole.norm.item(), part.norm.item()
    numbered.again("quick")
    assert whole.norm is None
    _, middle, loss = pass_over()
    with numbered.reading([middle.grad_fn, loss.grad_fn.next_functions[0][0]]):
        loss.backward()
    assert (whole.norm.item(), part.norm.item()) == pytest.approx(first)
    assert first == pytest.approx(((7.0**2 + 13.0**2) ** 0.5, 2**0.5))


def test_a_hook_that_fails_ends_the_reading_and_not_the_pass():
    class Broken(Reading):
        def add(self, gradient):
            raise ValueError("broken")

    x, middle, loss = pass_over()
    wiring = Wiring(totals={middle.grad_fn: [Broken([])]})
    with wiring.reading():
        loss.backward()
    assert torch.equal(x.grad, torch.tensor([7.0, 13.0]))
    assert str(wiring.problem) == "broken"


def test_hooks_are_taken_back():
    _, middle, loss = pass_over()
    reading = Reading([])
    with Wiring(totals={middle.grad_fn: [reading]}).reading():
        pass
    loss.backward()
    assert reading.norm is None
