"""What each of several processes does in the tests of distributed and compiled watching; run as a script, unchecked."""

import json
import os
import sys

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from evenkeel.observe import watch

STEPS = 7


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1))


def train(model: nn.Module, called: nn.Module, rank: int, options: dict | None) -> dict:
    """The steps of one process; `options` None: unwatched."""
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    generator = torch.Generator().manual_seed(rank)
    looked = watch(
        model if options is None or not options.pop("outer", False) else called, optimizer, **(options or {})
    )
    if options is not None:
        looked.__enter__()
    for _ in range(STEPS):
        optimizer.zero_grad()
        (called(torch.randn(8, 6, generator=generator)) - 1).square().mean().backward()
        optimizer.step()
    found = {"looks": [], "notes": [], "norms": [], "links": []}
    if options is not None:
        looked.__exit__(None, None, None)
        looks = looked.history.looks
        found["looks"], found["notes"] = [look.step for look in looks], looked.notes
        found["norms"] = [look.gradient_norm for look in looks]
        found["links"] = [link.name for link in looked.chain.links] if looked.chain else []
        found["losses"] = len(looked.history.losses)
    whole = [p.full_tensor() if hasattr(p, "full_tensor") else p for p in model.parameters()]
    found["weights"] = torch.cat([p.detach().flatten() for p in whole]).tolist()
    return found


def parallel(rank: int, options: dict | None) -> dict:
    """Data-parallel: the wrapper is watched where `outer` says so, else what it wraps."""
    model = network()
    return train(model, DistributedDataParallel(model), rank, options)


def split(rank: int, options: dict | None) -> dict:
    """Parameters split over processes."""
    from torch.distributed.fsdp import fully_shard

    model = network()
    for layer in (model[0], model[2]):
        fully_shard(layer)
    fully_shard(model)
    return train(model, model, rank, options)


def main() -> None:
    kind, name, options = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    distributed.init_process_group("gloo")
    rank = distributed.get_rank()
    found = {"parallel": parallel, "split": split}[kind](rank, options)
    with open(f"{name}{rank}", "w") as file:
        json.dump(found, file)
    distributed.barrier()
    distributed.destroy_process_group()
    os._exit(0)  # torch's own threads may still run, and an interpreter that ends meanwhile is aborted


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
