"""Two processes with half of the batch each must give the gradient of one process with all of it."""

import json
import math
import subprocess
import sys

import pytest
import torch

from evenkeel import losses
from evenkeel.losses.ranks import Ranks, gather, mean_over_ranks, ranks

CASES = """
import torch
from evenkeel import losses

def cases():
    generator = torch.Generator().manual_seed(0)
    left, right = torch.randn(2, 12, 5, generator=generator, dtype=torch.float64)
    labels = torch.tensor([0, 0, 0, 1, 2, 3, 0, 1, 1, 2, 2, 9])  # 6 rows of rank 0 and 5 of rank 1 have a positive
    pair = [("info_nce", {}), ("info_nce", {"symmetric": True}), ("nt_xent", {})]
    labelled = [("nt_xent_from_labels", {"denominator": d}) for d in ("negatives", "all")]
    labelled += [("triplet_from_labels", {"mining": m}) for m in ("all", "hard", "semi-hard")]
    for name, options in pair:
        yield name, options, (left, right), ()
    for name, options in labelled:
        yield name, options, (left,), (labels,)

def gradient(name, options, inputs, rest, rows):
    weight = torch.eye(5, dtype=torch.float64).requires_grad_()
    value = losses.PARTS[name].call(*(x[rows] @ weight for x in inputs), *(x[rows] for x in rest), **options)
    value.backward()
    return value.detach(), weight.grad
"""

WORKER = """
import json, sys
import torch.distributed as dist
torch.set_num_threads(1)
rank, store = int(sys.argv[1]), sys.argv[2]
dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
found = []
for case in cases():
    value, grad = gradient(*case, slice(6 * rank, 6 * rank + 6))
    both = torch.cat([value.reshape(1), grad.flatten()])
    dist.all_reduce(both)  # what distributed data parallel training does to gradients: their average
    found.append((both / 2).tolist())
alone = losses.info_nce(torch.ones(6, 2), torch.ones(6, 2), across="none")
print(json.dumps({"found": found, "alone": float(alone)}))
dist.destroy_process_group()
"""


def test_two_ranks_learn_what_one_process_would(tmp_path):
    command = [sys.executable, "-W", "ignore", "-c", CASES + WORKER]
    workers = [
        subprocess.Popen([*command, str(rank), str(tmp_path / "store")], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for rank in range(2)
    ]
    ended = [worker.communicate(timeout=120) for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], ended[0][1].decode() + ended[1][1].decode()
    scope: dict = {}
    exec(CASES, scope)
    whole = [
        torch.cat([v.reshape(1), g.flatten()]) for v, g in (scope["gradient"](*c, slice(12)) for c in scope["cases"]())
    ]
    for out, _ in ended:
        said = json.loads(out.decode().splitlines()[-1])
        assert torch.allclose(
            torch.tensor(said["found"], dtype=torch.float64), torch.stack(whole), rtol=1e-9, atol=1e-12
        )
        assert said["alone"] == pytest.approx(math.log(6))


def test_without_a_process_group_there_is_one_rank():
    place = ranks("ranks")
    assert place == Ranks(rank=0, count=1) == ranks("none")
    tensor = torch.ones(3, requires_grad=True)
    assert torch.equal(gather(tensor, place), tensor) and gather(tensor, place) is not tensor
    assert mean_over_ranks(tensor, place) is tensor
    assert losses.PARTS["info_nce"].call(torch.eye(2), torch.eye(2), across="none").isfinite()
