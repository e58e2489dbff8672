"""Choose the kind of some data, and read its options."""

from __future__ import annotations

import errno
import inspect
import os
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from evenkeel.data.schema import DataSchema, Frozen
from evenkeel.errors import DataError, RequestError
from evenkeel.kinds.base import Kind
from evenkeel.nets import PARTS as NETS
from evenkeel.plan import Plan


def kind_of(
    data: Any,
    name: str | None = None,
    *,
    target: object = None,
    task: str | None = None,
    settings: Iterable[str] = (),
) -> Kind:
    """The kind by name; or the one whose own option is set; or the first one, by rank, that recognises the data.

    Args:
        data: a path or an object.
        name: of the kind, if it is known.
        target: of what is asked for; without one some data mean something else (a text is continued).
        task: that is asked for, if any.
        settings: names of what was set: `horizon` asks for a forecast, whatever the data look like.

    Raises:
        RequestError: no such kind.
        DataError: a string that can be no path.

    Example:
        >>> kind_of("sample:wine", target="target").name
        'table'
    """
    from evenkeel.kinds import PARTS

    if name is not None:
        return PARTS[name]
    check_path(data)
    named = {key: [kind for kind in PARTS.values() if key in kind.options.model_fields] for key in settings}
    nets = {name for net in NETS.values() for name in inspect.signature(net.call).parameters}
    others = {*Plan.model_fields, *nets}  # names that say nothing about the data
    unmistakable = [kinds[0] for key, kinds in named.items() if len(kinds) == 1 and key not in others]
    if unmistakable:
        return unmistakable[0]
    kinds = sorted(PARTS.values(), key=lambda each: each.rank)
    if target is None:
        for kind in kinds:
            if kind.without_target(data, task):
                return kind
    return next(kind for kind in kinds if kind.recognises(data))


def check_path(data: Any) -> None:
    """Refuse a string that no system takes for a path: most likely it is the text itself.

    Raises:
        DataError: it is too long, or has characters that no path has.
    """
    if not isinstance(data, str):
        return
    try:
        os.stat(data)
    except (OSError, ValueError) as problem:
        if isinstance(problem, OSError) and problem.errno not in (errno.ENAMETOOLONG, errno.EINVAL):
            return  # nothing is there, or may be seen: the kinds say so
        raise DataError(
            f"expected a path, got a string of {len(data)} characters that begins {data[:30]!r}; if that is the text "
            "to learn from, say kind='text'"
        ) from problem


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

    if not isinstance(value, Mapping):
        return value
    return PARTS[str(value.get("kind", "table"))].schema.model_validate(value)
