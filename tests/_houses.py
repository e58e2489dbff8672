"""A small Parquet table in several row groups, with gaps in its target, to be read in parts."""

import numpy as np
import polars as pl


def write_houses(folder):
    """The path of a table of 500 rows."""
    generator = np.random.default_rng(0)
    size = generator.normal(size=500)
    frame = pl.DataFrame(
        {
            "size": size,
            "town": generator.choice(["Bonn", "Trier", "Worms"], 500),
            "price": 3 * size + generator.normal(size=500),
            "one": np.ones(500),
        }
    ).with_columns(pl.when(pl.int_range(pl.len()) % 50 == 7).then(None).otherwise(pl.col("price")).alias("price"))
    frame.write_parquet(folder / "houses.parquet", row_group_size=64)
    return folder / "houses.parquet"
