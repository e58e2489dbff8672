"""A record whose numbers are still on their way: its fields by name, frozen when both passes are over.

A field is a value, a function of the ledger that gives one once everything is fetched, another unfinished record, or a
list of these. A number of a record is declared there and filled in where it is measured, and nowhere else.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from evenkeel.chain.record.ledger import Ledger
from evenkeel.chain.record.reading import Reading

R = TypeVar("R")
Later = Callable[[Ledger], Any]
"""Gives a number when the ledger is settled."""


class Unfinished(Generic[R]):
    """The fields of one record while it is measured; `finish` may be called again after another pass.

    Example:
        >>> Unfinished(dict, name="first", gain=lambda ledger: 2.0).finish(Ledger())
        {'name': 'first', 'gain': 2.0}
    """

    def __init__(self, record: Callable[..., R], **fields: Any) -> None:
        self.record, self.fields = record, fields

    def finish(self, ledger: Ledger) -> R:
        """The frozen record with the numbers of the pass that was settled last."""
        return self.record(**{name: _finished(value, ledger) for name, value in self.fields.items()})


def _finished(value: Any, ledger: Ledger) -> Any:
    if isinstance(value, Unfinished):
        return value.finish(ledger)
    if isinstance(value, list):
        return tuple(_finished(each, ledger) for each in value)
    return value(ledger) if callable(value) else value


def norm_of(reading: Reading | None) -> Later:
    """The norm of a gradient that was read."""
    return lambda ledger: ledger.norm(reading)


def rms_of(reading: Reading) -> Later:
    """The root mean square of a gradient that was read."""
    return lambda ledger: root_mean_square(ledger.norm(reading), reading.count)


def value_of(ticket: int | None) -> Later:
    """The number behind a ticket."""
    return lambda ledger: ledger.value(ticket)


def rms_of_value(ticket: int | None, count: int) -> Later:
    """The root mean square of a tensor of `count` entries whose norm is behind a ticket."""
    return lambda ledger: root_mean_square(ledger.value(ticket), count)


def root_mean_square(norm: float | None, count: int) -> float | None:
    """From a Euclidean norm over `count` entries; None without either."""
    return None if norm is None or not count else norm / math.sqrt(count)
