import sys

import evenkeel.chain
from evenkeel.chain import Branch, Chain, Link, LocalTerm, trace


def test_the_public_names_are_those_of_the_records_and_trace():
    assert set(evenkeel.chain.__all__) == {"Branch", "Chain", "Link", "LocalTerm", "trace"}
    assert all(thing.__doc__ for thing in (Branch, Chain, Link, LocalTerm, trace))


def test_trace_is_the_function_and_not_its_module():
    assert callable(evenkeel.chain.trace)
    assert "evenkeel.chain.trace" in sys.modules and callable(evenkeel.chain.trace)
