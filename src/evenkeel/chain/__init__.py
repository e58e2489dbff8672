"""The back-propagation chain, measured: trace, its records, the theory beside it."""

from evenkeel.chain.chain import Chain
from evenkeel.chain.link import Branch, Link, LocalTerm
from evenkeel.chain.trace import trace

__all__ = ["Branch", "Chain", "Link", "LocalTerm", "trace"]
