from pathlib import Path

import pytest

from evenkeel import nets
from evenkeel.parts import stub


def test_the_stub_is_up_to_date():
    assert Path(nets.__file__).with_suffix(".pyi").read_text() == stub("evenkeel.nets", "from .base import Net as Net")


@pytest.mark.parametrize("name", nets.PARTS)
def test_every_net_is_at_hand_by_its_class_and_has_a_test_file(name):
    assert getattr(nets, nets.PARTS[name].call.__name__) is nets.PARTS[name].call
    assert (Path(__file__).parent / f"test_{name}.py").exists()
