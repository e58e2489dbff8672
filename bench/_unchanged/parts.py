"""Losses, metrics, nets and heads alone, on the same few numbers, and the public names with their arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

import evenkeel as ek
from bench._unchanged.facts import Items, attempt, lines, weights

ROWS, CLASSES, UNITS = 12, 4, 6
FOLDERS = ("losses", "heads", "nets", "metrics")
HELPERS = ("Registry", "fill")  # what a folder's own file happens to import
Tensors = Mapping[str, Tensor]


def tensors() -> dict[str, Tensor]:
    """What losses and metrics are called with, by name; the same each time."""
    draw = torch.Generator().manual_seed(0)
    label = torch.arange(ROWS) % CLASSES
    found = {name: torch.randn(ROWS, generator=draw) for name in ("a", "b", "c")}
    found |= {name: torch.randn(ROWS, CLASSES, generator=draw) for name in ("logits", "others")}
    found |= {name: torch.randn(ROWS, UNITS, generator=draw) for name in ("left", "right", "third")}
    found |= {"table": torch.randn(CLASSES, UNITS, generator=draw), "count": label, "label": label}
    return found | {"flag": (found["logits"] > 0).float(), "same": label % 2 == 0}


def losses(t: Tensors) -> dict[str, Callable[[], Tensor]]:
    """A call of every loss."""
    ours, left, right = ek.losses, t["left"], t["right"]
    p, q = t["logits"].softmax(1), t["others"].softmax(1)
    return {
        "binary_cross_entropy": lambda: ours.binary_cross_entropy(t["logits"], t["flag"], label_smoothing=0.1),
        "contrastive": lambda: ours.contrastive(left, right, t["same"], distance="cosine"),
        "cross_entropy": lambda: ours.cross_entropy(t["logits"], t["label"], label_smoothing=0.1),
        "focal": lambda: ours.focal(t["logits"], t["label"], gamma=0.5),
        "gamma_nll": lambda: ours.gamma_nll(t["a"], t["b"], t["c"].exp()),
        "gaussian_nll": lambda: ours.gaussian_nll(t["a"], t["b"], t["c"], beta=0.5),
        "gaussian_prior_kl": lambda: ours.gaussian_prior_kl(left, right, free_bits=0.1),
        "info_nce": lambda: ours.info_nce(left, right, symmetric=True),
        "js_divergence": lambda: ours.js_divergence(p, q),
        "kl_divergence": lambda: ours.kl_divergence(t["logits"], t["others"], form="logits"),
        "linear_cross_entropy": lambda: ours.linear_cross_entropy(left, t["table"], t["label"]),
        "mse": lambda: ours.mse(t["a"], t["b"]),
        "nll": lambda: ours.nll(t["logits"].log_softmax(1), t["label"]),
        "nt_xent": lambda: ours.nt_xent(left, right),
        "nt_xent_from_labels": lambda: ours.nt_xent_from_labels(left, t["label"]),
        "poisson_nll": lambda: ours.poisson_nll(t["a"], t["count"], constant=True),
        "similarity_info_nce": lambda: ours.similarity_info_nce(left @ right.T),
        "triplet": lambda: ours.triplet(left, right, t["third"], margin="soft"),
        "triplet_from_labels": lambda: ours.triplet_from_labels(left, t["label"], mining="semi-hard"),
    }


def of_losses() -> Items:
    """Each loss and its gradient to everything it was given."""
    found: dict[str, Any] = {}
    for name in losses(tensors()):
        given = {key: t.requires_grad_() if t.is_floating_point() else t for key, t in tensors().items()}
        value = losses(given)[name]()
        value.backward()
        found[name] = value
        found |= {f"{name}, to {key}": t.grad for key, t in given.items() if t.grad is not None}
    return {"values": lines(found)}


def of_metrics() -> Items:
    """Each metric of tensors; those of distributions and codes are measured by the runs."""
    t = tensors()
    probability = t["logits"].softmax(1)
    numbers, classes, labels = (t["a"], t["b"]), (probability, t["label"]), (t["others"].sigmoid(), t["flag"])
    groups, pairs = (t["left"], t["label"]), (torch.stack([t["left"], t["right"]], 1), t["label"])
    calls: dict[str, tuple[Any, ...]] = dict.fromkeys(("rmse", "mae", "r2", "reconstruction"), numbers)
    calls |= dict.fromkeys(("log_loss", "auc", "average_precision", "calibration_error"), classes)
    calls |= dict.fromkeys(("hamming", "f1"), labels) | {"accuracy": (probability.argmax(1), t["label"])}
    calls |= dict.fromkeys(("recall_at_k", "map_at_r", "alignment", "uniformity"), groups)
    calls |= dict.fromkeys(("partner_recall", "partner_rank"), pairs)
    calls |= dict.fromkeys(("perplexity", "bits_per_character"), (probability.log().max(1).values, t["label"]))
    return {"values": lines({name: attempt(getattr(ek.metrics, name), *given) for name, given in calls.items()})}


def nets() -> dict[str, tuple[Callable[[], nn.Module], tuple[Tensor, ...]]]:
    """Every net in a few forms, and what it reads."""
    numbers, steps, lengths = torch.randn(5, 4), torch.randn(3, 9, 4), torch.tensor([9, 4, 6])
    tokens, images = torch.randint(1, 30, (3, 9)), torch.randn(2, 3, 16, 16)
    nodes, edges, graph = torch.randn(7, 4), torch.randint(7, (2, 12)), torch.arange(7) // 4
    ours = ek.nets
    return {
        "mlp": (lambda: ours.MLP(4, width=16), (numbers,)),
        "mlp-members": (lambda: ours.MLP(4, width=16, depth=1, members=3, norm="layer"), (numbers,)),
        "mlp-plain": (lambda: ours.MLP(4, width=16, skip="plain", activation="tanh"), (numbers,)),
        "cnn": (lambda: ours.CNN(3, width=8), (images,)),
        "cnn-convnext": (lambda: ours.CNN(3, width=8, block="convnext"), (images,)),
        "cnn-of-steps": (lambda: ours.CNN(4, dimensions=1, width=8), (steps, lengths)),
        "rnn": (lambda: ours.RNN(4, width=16), (steps, lengths)),
        "rnn-lstm": (lambda: ours.RNN(4, cell="lstm", width=16, direction="both", pooling="attention"), (steps,)),
        "rnn-of-tokens": (lambda: ours.RNN(vocabulary=30, width=16, pooling=None), (tokens,)),
        "transformer": (lambda: ours.Transformer(4, width=32, depth=1), (steps, lengths)),
        "transformer-patches": (lambda: ours.Transformer(3, patch=4, width=32, depth=1), (images,)),
        "transformer-past": (
            lambda: ours.Transformer(vocabulary=30, width=32, depth=1, direction="past", pooling=None),
            (tokens,),
        ),
        "gnn": (lambda: ours.GNN(4, width=16), (nodes, edges, graph)),
        "gnn-nodes": (lambda: ours.GNN(4, width=16, pooling=None), (nodes, edges)),
        "gnn-gin": (lambda: ours.GNN(4, layer="gin", width=16, pooling="sum", jumping="concat"), (nodes, edges, graph)),
    }


def of_nets() -> Items:
    """First weights and the output in evaluation mode of each."""
    torch.manual_seed(0)
    found: Items = {}
    for name, (make, given) in nets().items():
        torch.manual_seed(1)
        net = make().eval()
        found[name] = f"{weights(net.state_dict())}\n{lines({'features': net.features, 'output': net(*given)})}"
    return found


def heads() -> dict[str, tuple[Callable[[], nn.Module], Tensor]]:
    """Every head on features of six units, and a target of its."""
    t, ours = tensors(), ek.heads
    return {
        "value": (lambda: ours.Value(UNITS), t["a"]),
        "gaussian": (lambda: ours.Gaussian(UNITS, members=2), t["a"]),
        "positive": (lambda: ours.Positive(UNITS, counts=True), t["count"].float()),
        "single_label": (lambda: ours.SingleLabel(UNITS, classes=CLASSES), t["label"]),
        "multi_label": (lambda: ours.MultiLabel(UNITS, labels=CLASSES), t["flag"]),
        "embedding": (lambda: ours.Embedding(UNITS, units=4), t["label"]),
        "latent": (lambda: ours.Latent(UNITS, units=2, decoder=nn.Linear(2, UNITS)), t["right"]),
        "tokens": (lambda: ours.Tokens(UNITS, vocabulary=CLASSES), t["label"]),
    }


def of_heads() -> Items:
    """Start, loss and prediction of each as the end of a small network, and its state by name."""
    features, found = tensors()["left"], {}
    for name, (make, target) in heads().items():
        torch.manual_seed(1)
        head = make()
        head.start(target)
        given = features.expand(2, -1, -1) if name == "gaussian" else features
        network = ek.Network(nn.Identity(), head)
        facts = {"loss text": head.loss_text, "loss": attempt(network.loss, given, target)}
        facts |= {"predict": attempt(network.predict, given), "probability": attempt(head.probability, head(given))}
        found[name] = f"{weights(network.state_dict())}\n{lines(facts)}"
    return found


def of_names() -> Items:
    """Every public name with its arguments and their defaults."""
    found = {"evenkeel": lines({name: arguments(getattr(ek, name)) for name in sorted(ek.__all__)})}
    for folder in FOLDERS:
        module = getattr(ek, folder)
        names = [name for name in dir(module) if not name.startswith("_") and name not in HELPERS]
        told = {name: arguments(getattr(module, name)) for name in names if callable(getattr(module, name))}
        found[folder] = lines({**told, "PARTS": sorted(module.PARTS)})
    own = {"Run": ek.Run, "Network": ek.Network}
    for name, cls in own.items():
        methods = [each for each in dir(cls) if not each.startswith("_") and each not in dir(nn.Module)]
        found[name] = lines({each: arguments(getattr(cls, each)) for each in methods})
    return found


def arguments(value: Any) -> str:
    """The arguments of what can be called, without their types; the type of what cannot."""
    if not callable(value):
        return type(value).__name__
    kept = inspect.signature(value).parameters.values()
    return ", ".join(str(each.replace(annotation=inspect.Parameter.empty)) for each in kept)


PARTS: Mapping[str, Callable[[], Items]] = {
    "losses": of_losses,
    "metrics": of_metrics,
    "nets": of_nets,
    "heads": of_heads,
    "names": of_names,
}
