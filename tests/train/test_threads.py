import pytest
import torch
from torch import nn

from _small import small_dataset, small_network, small_plan
from evenkeel.train.loop import Loop, Watchers
from evenkeel.train.threads import SEVERAL_FROM, largest_product, threads_worth

CPU = torch.device("cpu")


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("product, threads", [(1, 1), (SEVERAL_FROM - 1, 1), (SEVERAL_FROM, 2), (None, 2)])
def test_small_products_get_one_thread_and_the_number_is_put_back(two_threads, product, threads):
    with pytest.raises(KeyError), threads_worth(product, CPU) as found:
        assert found == torch.get_num_threads() == threads
        raise KeyError
    assert torch.get_num_threads() == 2


def test_on_other_devices_nothing_is_changed(two_threads):
    with threads_worth(1, torch.device("meta")) as found:
        assert found == 2


def test_the_largest_product_is_that_of_the_largest_weight():
    net = nn.Sequential(nn.Linear(4, 10), nn.ReLU(), nn.Linear(10, 20), nn.LayerNorm(20))
    assert largest_product(net, [torch.zeros(7, 4)], 32) == 32 * 200
    assert largest_product(small_network("regression", members=3, width=16), [], 2) == 2 * 3 * 16 * 16


def test_it_is_not_told_where_a_weight_meets_an_example_more_than_once():
    assert largest_product(nn.Conv2d(3, 5, 3), [torch.zeros(7, 3, 9, 9)], 32) is None
    assert largest_product(nn.Conv2d(3, 5, 3), [torch.zeros(7, 243)], 32) is None
    assert largest_product(nn.Linear(3, 5), [torch.zeros(7, 9, 3)], 32) is None
    assert largest_product(nn.Flatten(), [torch.zeros(7, 3)], 32) is None


def test_the_loop_trains_a_small_network_on_one_thread_and_puts_the_number_back(two_threads):
    data, seen = small_dataset("regression"), []
    loop = Loop(small_network("regression", data), data, small_plan("regression", updates=3), device=CPU)
    loop.run(Watchers(step=lambda state: seen.append(torch.get_num_threads())))
    assert seen == [1, 1, 1] and torch.get_num_threads() == 2
