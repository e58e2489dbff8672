"""The device of a request."""

import pytest
import torch

from evenkeel.errors import RequestError
from evenkeel.run.device import device_of


def test_auto_is_a_gpu_where_there_is_one():
    assert device_of("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert device_of(torch.device("cpu")) == device_of("cpu") == torch.device("cpu")


def test_another_device_is_refused():
    with pytest.raises(RequestError, match="no device is called 'abacus'; try 'auto', 'cpu' or 'cuda'"):
        device_of("abacus")
    with pytest.raises(RequestError, match=r"device 'xla' cannot be used here: .*; try 'cpu'"):
        device_of("xla")
