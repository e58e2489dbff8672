"""Results kept line by line, so that a measurement can be broken off and taken up again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench._specimens.outcomes import Outcome

FOLDER = Path(__file__).parents[1] / "cache"
CACHE = FOLDER / "specimens.jsonl"


def digest(*parts: Any) -> str:
    """A short name for a definition."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def source_digest(*files: str) -> str:
    """A short name for the text of these source files: results of other code are measured again."""
    return digest(*(Path(file).read_text() for file in files))


def read(path: Path) -> dict[str, dict[str, Any]]:
    """All lines by their key; the last one counts."""
    if not path.is_file():
        return {}
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return {line["key"]: line for line in lines}


def append(path: Path, line: dict[str, Any]) -> None:
    """One more line."""
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as file:
        file.write(json.dumps(line) + "\n")


def outcomes() -> dict[str, Outcome]:
    """The outcomes measured so far, by key."""
    fields = ("score", "trivial", "seconds")
    return {key: Outcome(**{name: line[name] for name in fields}) for key, line in read(CACHE).items()}


def keep(key: str, name: str, outcome: Outcome) -> None:
    """Add an outcome."""
    append(CACHE, {"key": key, "name": name, **asdict(outcome)})
