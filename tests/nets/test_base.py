from typing import get_args

import pytest

from evenkeel import nets
from evenkeel.nets.base import KindName


@pytest.mark.parametrize("name", nets.PARTS)
def test_a_record_says_what_its_net_reads(name):
    part = nets.PARTS[name]
    assert part.reads and set(part.reads) <= set(get_args(KindName)) and len(set(part.reads)) == len(part.reads)
    assert part.summary and "arXiv" in part.source
