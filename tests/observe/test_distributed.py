"""Two processes: they look at the same steps, do not wait for each other in vain, and end with the same weights."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "_processes.py"
RANKS = 2


def run(kind: str, options: dict | None, folder: Path) -> list[dict]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    name = folder / f"{kind}{'' if options is None else '-'.join(map(str, options.values()))}-"
    processes = []
    for rank in range(RANKS):
        environment = os.environ | {
            "RANK": str(rank), "WORLD_SIZE": str(RANKS), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port),
            "OMP_NUM_THREADS": "1",
        }  # fmt: skip
        command = [sys.executable, str(SCRIPT), kind, str(name), json.dumps(options)]
        processes.append(
            subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        )
    try:
        for process in processes:
            said, _ = process.communicate(timeout=120)
            assert process.returncode == 0, said
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    return [json.loads(Path(f"{name}{rank}").read_text()) for rank in range(RANKS)]


@pytest.fixture(scope="module")
def unwatched(tmp_path_factory):
    folder = tmp_path_factory.mktemp("unwatched")
    return {kind: run(kind, None, folder) for kind in ("parallel", "split")}


@pytest.mark.parametrize("options", [{"every": 2}, {"budget": 0.9}, {"budget": 0.9, "outer": True}], ids=str)
def test_data_parallel(options, unwatched, tmp_path):
    left, right = run("parallel", dict(options), tmp_path)
    assert left["looks"] == right["looks"] and left["looks"][0] == 1
    if "every" in options:
        assert left["looks"] == [1, 2, 4, 6]
    prefix = "module." if "outer" in options else ""
    assert left["links"] == right["links"] == [f"{prefix}{place}" for place in (0, 2, 4)]
    assert left["norms"] == pytest.approx(right["norms"], rel=1e-6)
    assert left["notes"] == right["notes"] == [] and left["losses"] == 7
    assert left["weights"] == right["weights"] == unwatched["parallel"][0]["weights"]


@pytest.mark.parametrize("options", [{"every": 2}, {"budget": 0.9}], ids=str)
def test_split_parameters(options, unwatched, tmp_path):
    left, right = run("split", dict(options), tmp_path)
    assert left["looks"] == right["looks"] and left["looks"][0] == 1
    assert left["norms"] == right["norms"] and all(norm > 0 for norm in left["norms"])
    assert left["links"] == [] and len(left["notes"]) == 1 and "split over processes" in left["notes"][0]
    assert left["weights"] == right["weights"] == unwatched["split"][0]["weights"]


def test_a_split_norm_is_that_of_the_whole(tmp_path):
    parallel, split = (run(kind, {"every": 1}, tmp_path)[0] for kind in ("parallel", "split"))
    assert split["norms"] == pytest.approx(parallel["norms"], rel=1e-3)
