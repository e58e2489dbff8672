"""What held-out rows say of a trained network: calibration, metrics, plain models, importance, some rows to show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from evenkeel.data.dataset import Dataset
from evenkeel.heads import HeadPart
from evenkeel.kinds import PARTS as KINDS
from evenkeel.network import Network
from evenkeel.record import SHOWN
from evenkeel.shapes import Tensor
from evenkeel.train.baselines import baseline_scores
from evenkeel.train.evaluate import outputs
from evenkeel.train.heap import give_back_freed
from evenkeel.train.importance import Importance, importance
from evenkeel.train.loop import spread
from evenkeel.train.scores import scores
from evenkeel.train.signals import Interruption

ROWS_TO_CALIBRATE = 50_000  # a quantile of 90 % is known to a seventh of a per cent
SAMPLE_ROWS = 2000  # test rows kept with the run for the report's pictures
SAMPLE_NUMBERS = 2**20  # of their outputs, where an output is many numbers: four megabytes


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Metrics of the network and of plain models, importance of columns, and some test rows to show."""

    ours: dict[str, float]
    baselines: dict[str, dict[str, float]]
    importance: tuple[Importance, ...]
    sample: dict[str, Tensor]


def measure(network: Network, data: Dataset, part: HeadPart, seed: int, interruption: Interruption) -> Measured:
    """Calibrate on the validation rows; metrics, plain models and the columns' importance on the test rows."""
    held, tested = torch.from_numpy(data.split.validation), torch.from_numpy(data.split.test)
    held = spread(held, ROWS_TO_CALIBRATE)
    if len(held):
        network.head.calibrate(outputs(network, data.inputs, held), data.target.index_select(0, held))
    output = outputs(network, data.inputs, tested) if len(tested) else None
    truth = data.target.index_select(0, tested)
    ours = scores(part, network.head, output, truth) if output is not None else {}
    theirs: dict[str, dict[str, float]] = {}
    columns: list[Importance] = []
    if not interruption.reason:
        with interruption.at_once():
            give_back_freed()
            theirs = baseline_scores(part, data, seed=seed)
            columns = importance(network, part, data, seed=seed)
    sample = {} if output is None else sample_of(output, data, tested, network)
    return Measured(ours=ours, baselines=theirs, importance=tuple(columns), sample=sample)


def sample_of(output: Tensor, data: Dataset, tested: Tensor, network: Network) -> dict[str, Tensor]:
    """Outputs and targets of some test rows."""
    axis = 0 if network.head.members is None else 1
    most = max(1, min(SAMPLE_ROWS, SAMPLE_NUMBERS * len(tested) // max(output.numel(), 1)))
    chosen = torch.from_numpy(np.sort(np.random.default_rng(0).permutation(len(tested))[:most]))
    answers = data.target.index_select(0, tested)
    if output.shape[axis] != len(tested):  # an answer for each step: the first ones, as they come
        chosen = torch.arange(min(SAMPLE_ROWS, len(answers)))
    shown = KINDS[data.schema.kind].keep(data, tested[chosen[chosen < len(tested)]])
    named = {f"{SHOWN}{name}": tensor for name, tensor in shown.items()}
    return {"output": output.index_select(axis, chosen), "target": answers[chosen], **named}
