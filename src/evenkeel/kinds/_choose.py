"""Which kind of data is this, and what do its options say?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from evenkeel.data.schema import DataSchema, Frozen
from evenkeel.errors import DataError, RequestError
from evenkeel.kinds._record import Kind


def kind_of(data: Any, name: str | None = None) -> Kind:
    """The kind by name, or the first one, by rank, that recognises the data.

    Raises:
        RequestError: no such kind.

    Example:
        >>> kind_of("sample:wine").name
        'table'
    """
    from evenkeel.kinds import PARTS

    if name is not None:
        return PARTS[name]
    for kind in sorted(PARTS.values(), key=lambda each: each.rank):
        if kind.recognises(data):
            return kind
    raise DataError(f"expected data of a kind among {', '.join(PARTS)}, got {type(data).__name__}; say kind=...")


def read_options(kind: Kind, settings: Mapping[str, Any]) -> Frozen:
    """The options of a kind; what is left out keeps its default.

    Raises:
        RequestError: a value that makes no sense.
    """
    try:
        return kind.options(**settings)
    except ValidationError as problem:
        first = problem.errors()[0]
        raise RequestError(f"setting {first['loc'][0]} = {first['input']!r}: {first['msg'].lower()}") from problem


def read_schema(value: Any) -> DataSchema:
    """A schema from its JSON: `kind` says which.

    Raises:
        RequestError: a kind that this version does not know.
    """
    from evenkeel.kinds import PARTS

    if isinstance(value, DataSchema):
        return value
    return PARTS[str(value.get("kind", "table"))].schema.model_validate(value)
