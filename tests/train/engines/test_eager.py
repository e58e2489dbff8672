import torch
from torch import nn

from evenkeel.heads import Value
from evenkeel.network import Network
from evenkeel.train.engines.eager import Eager


class Numbers(nn.Linear):
    def forward(self, numbers):
        return super().forward(numbers)


def test_gradients_come_in_the_order_of_the_parameters_and_none_where_there_is_none():
    network = Network(Numbers(3, 4), Value(4))
    frozen = network.net.weight.requires_grad_(False)
    bias = network.head.linear.bias
    loss, gradients = Eager(network, [frozen, bias])({"numbers": torch.randn(5, 3)}, torch.randn(5))
    assert gradients[0] is None and torch.equal(gradients[1], bias.grad) and loss.grad_fn is None


def test_a_backward_of_ones_own_is_called_with_the_loss():
    network, seen = Network(Numbers(3, 4), Value(4)), []
    engine = Eager(network, list(network.parameters()))

    def backward(loss):
        seen.append(loss.grad_fn is not None)
        loss.backward()

    _, gradients = engine({"numbers": torch.randn(5, 3)}, torch.randn(5), backward=backward)
    assert seen == [True] and all(gradient is not None for gradient in gradients)
