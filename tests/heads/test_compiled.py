"""Each head's loss is one graph for torch.compile; in a fresh process, where shape checks do not stand in between."""

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import torch
from evenkeel import heads
from heads._cases import case, started

torch._dynamo.config.recompile_limit = 100
for name in heads.PARTS:
    data = case(name, "real", rows=24)
    network = started(name, data)
    compiled = torch.compile(network.loss, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(data.inputs, data.target), network.loss(data.inputs, data.target))
    print(name)
"""


def test_every_head_is_one_graph():
    from evenkeel import heads

    tests = Path(__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "PYTHONPATH": str(tests)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == list(heads.PARTS), done.stderr[-2000:]
