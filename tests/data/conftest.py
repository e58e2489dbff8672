"""Tables to read: one mixed frame, and a way to write a text file."""

import numpy as np
import polars as pl
import pytest

ROWS = 200


@pytest.fixture
def mixed():
    """Every usable kind of column, and targets of every kind that depend on them with noise."""
    draw = np.random.default_rng(0)
    number, town = draw.normal(size=ROWS), draw.integers(0, 4, ROWS)
    return pl.DataFrame(
        {
            "number": number,
            "town": np.array(["Bonn", "Cologne", "Essen", "Hamm"])[town],
            "open": draw.random(ROWS) < 0.5,
            "day": pl.datetime_range(pl.datetime(2023, 1, 1), pl.datetime(2024, 12, 31), "87h", eager=True)[:ROWS],
            "gaps": [None if value < 0.2 else float(value) for value in draw.random(ROWS)],
            "price": 3 * number + town + draw.normal(size=ROWS),
            "sold": (number + draw.normal(size=ROWS) > 0).astype(np.int64),
        }
    )


@pytest.fixture
def write(tmp_path):
    """Write text or bytes to a file in a fresh folder and give its path."""

    def to(name, content, encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return to
