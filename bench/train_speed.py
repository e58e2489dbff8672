"""One epoch of an MLP with 4 hidden layers: our loop beside Lightning, skorch, Keras (torch backend) and scikit-learn.

All train the same sizes with Adam at 1e-3, float32, mean squared error, on the same random rows, with as many threads
as torch takes (OMP_NUM_THREADS sets their number; on a busy machine only one thread gives figures that repeat).
Rounds alternate between the libraries; the figure is the best round of each, so that a busy machine disturbs all alike.
Each peer is driven as its documentation shows, with its loader set to the same batch size and no validation.
"""

from __future__ import annotations

import logging
import os
import time
import warnings
from collections.abc import Callable

os.environ["KERAS_BACKEND"] = "torch"

import numpy as np
import torch
from torch import nn

import evenkeel as ek
from bench._machine import publish, table
from evenkeel.data.arrays import as_frame
from evenkeel.data.dataset import SplitRequest, build_dataset, set_target_apart
from evenkeel.network import build_network
from evenkeel.plan import make_plan
from evenkeel.products import fast_products
from evenkeel.train.loop import Loop, Watchers

# Batch, width, and batches in an epoch: enough that starting the loop does not show, as in any run of default length.
SIZES = [(64, 128, 500), (256, 256, 200), (1024, 512, 40)]
FEATURES, DEPTH = 32, 4
ROUNDS = 8
Trainer = Callable[[], int]  # trains for some updates and says how many


def layers(width: int) -> nn.Sequential:
    """The network that every library trains."""
    parts: list[nn.Module] = [nn.Linear(FEATURES, width), nn.ReLU()]
    for _ in range(DEPTH - 1):
        parts += [nn.Linear(width, width), nn.ReLU()]
    return nn.Sequential(*parts, nn.Linear(width, 1))


def ours(x: np.ndarray, y: np.ndarray, batch: int, width: int) -> Trainer:
    """Evenkeel's own loop on its own plain MLP of the same size."""
    table_ = set_target_apart(as_frame((x, y), None), "target")
    data = build_dataset(table_, "number", SplitRequest(validation=0.0, test=0.0))
    settings = {
        "width": width,
        "depth": DEPTH - 1,
        "skip": "plain",
        "norm": None,
        "dropout": 0.0,
        "members": None,
        "bins": None,
        "optimizer": "adam",
        "weight_decay": 0.0,
        "batch_size": batch,
        "updates": len(x) // batch,
        "evaluations": 1,  # the peers look at nothing during the epoch either
    }
    plan = make_plan("regression", rows=len(x), settings=settings)

    def train() -> int:
        network, _ = build_network(plan, data)
        with fast_products(batch * width * width, torch.device("cpu")):
            return Loop(network, data, plan, device=torch.device("cpu")).run(Watchers()).update

    return train


def lightning(x: np.ndarray, y: np.ndarray, batch: int, width: int) -> Trainer:
    """A LightningModule, a TensorDataset and a DataLoader."""
    import lightning as pl

    class Module(pl.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.layers = layers(width)

        def training_step(self, rows):
            inputs, target = rows
            return nn.functional.mse_loss(self.layers(inputs), target)

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters(), lr=1e-3)

    rows = torch.utils.data.TensorDataset(torch.from_numpy(x), torch.from_numpy(y[:, None]))
    loader = torch.utils.data.DataLoader(rows, batch_size=batch, shuffle=True)
    quiet = {
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }

    def train() -> int:
        pl.Trainer(max_epochs=1, accelerator="cpu", **quiet).fit(Module(), loader)
        return len(loader)

    return train


def skorch(x: np.ndarray, y: np.ndarray, batch: int, width: int) -> Trainer:
    """A NeuralNetRegressor."""
    from skorch import NeuralNetRegressor

    def train() -> int:
        options = {"max_epochs": 1, "batch_size": batch, "train_split": None, "verbose": 0, "lr": 1e-3}
        net = NeuralNetRegressor(layers(width), optimizer=torch.optim.Adam, iterator_train__shuffle=True, **options)
        net.fit(x, y[:, None])
        return len(x) // batch

    return train


def keras(x: np.ndarray, y: np.ndarray, batch: int, width: int) -> Trainer:
    """A Sequential model on the torch backend."""
    import keras

    def train() -> int:
        model = keras.Sequential([keras.layers.Input((FEATURES,))])
        for _ in range(DEPTH):
            model.add(keras.layers.Dense(width, activation="relu"))
        model.add(keras.layers.Dense(1))
        model.compile(optimizer=keras.optimizers.Adam(1e-3), loss="mse")
        model.fit(x, y, batch_size=batch, epochs=1, verbose=0)
        return len(x) // batch

    return train


def sklearn(x: np.ndarray, y: np.ndarray, batch: int, width: int) -> Trainer:
    """An MLPRegressor."""
    from sklearn.neural_network import MLPRegressor

    def train() -> int:
        MLPRegressor(hidden_layer_sizes=(width,) * DEPTH, batch_size=batch, max_iter=1, alpha=0.0).fit(x, y)
        return len(x) // batch

    return train


def main() -> None:
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    makers = {"evenkeel": ours, "Lightning": lightning, "skorch": skorch, "Keras (torch)": keras, "sklearn": sklearn}
    rows: list[list[object]] = []
    for batch, width, batches in SIZES:
        generator = np.random.default_rng(0)
        x = generator.standard_normal((batch * batches, FEATURES), dtype=np.float32)
        y = x[:, 0] * x[:, 1] + generator.standard_normal(len(x), dtype=np.float32)
        trainers = {name: make(x, y, batch, width) for name, make in makers.items()}
        best = dict.fromkeys(trainers, float("inf"))
        for _ in range(ROUNDS):
            for name, train in trainers.items():
                start = time.perf_counter()
                updates = train()
                best[name] = min(best[name], (time.perf_counter() - start) / updates)
        cells = [f"{best[name] * 1e6:.0f} ({best[name] / best['evenkeel']:.2f}x)" for name in makers]
        rows.append([f"{batch}, {width}", *cells])
    header = ["batch, width", *makers]
    threads, load = f"{torch.get_num_threads()} thread(s) for all", f"{os.getloadavg()[1]:.1f}"
    note = (
        "Microseconds an update, building the model and starting the loop included; in brackets: times ours. "
        f"{threads} (ours takes one where products are small); load of the machine at the end: {load}."
    )
    body = f"{note}\n\n{table(header, rows)}\n\nevenkeel {ek.__version__}"
    publish("train_speed", "One training update beside other libraries", "python -m bench.train_speed", body)


if __name__ == "__main__":
    main()
