"""One thread for the many small tensors here: waiting for a second one costs more than it gives."""

import pytest
import torch


@pytest.fixture(autouse=True, scope="package")
def one_thread():
    """Set and put back the number of threads within an operation."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
