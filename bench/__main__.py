"""`python -m bench`: every measurement, one after the other."""

from __future__ import annotations

import runpy
from pathlib import Path

if __name__ == "__main__":
    for path in sorted(Path(__file__).parent.glob("[a-z]*.py")):
        print(f"== {path.stem}", flush=True)
        runpy.run_module(f"bench.{path.stem}", run_name="__main__")
