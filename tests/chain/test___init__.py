import re
import sys
from pathlib import Path

import pytest

import evenkeel.chain
from evenkeel.chain import Branch, Chain, Link, LocalTerm, trace


def test_the_public_names_are_those_of_the_records_and_trace():
    assert set(evenkeel.chain.__all__) == {"Branch", "Chain", "Link", "LocalTerm", "trace"}
    assert all(thing.__doc__ for thing in (Branch, Chain, Link, LocalTerm, trace))


def test_trace_is_the_function_and_not_its_module():
    assert callable(evenkeel.chain.trace)
    assert "evenkeel.chain.trace" in sys.modules and callable(evenkeel.chain.trace)


@pytest.mark.parametrize(
    ("room", "lower"), [("record", ()), ("graph", ("record", "link")), ("theory", ("record", "graph", "link"))]
)
def test_rooms_build_on_those_below_them_alone(room, lower):
    files = sorted((Path(evenkeel.chain.__file__).parent / room).glob("*.py"))
    used = {name for file in files for name in re.findall(r"from evenkeel\.chain\.(\w+)", file.read_text())}
    assert room in used and used <= {room, *lower}
