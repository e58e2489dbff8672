"""Embedding head: a point for each example, near to those that belong with it and far from the others.

    z = projection(features);   z / |z| for length="unit", so that a product of two embeddings is their cosine

What the target must be for each loss stands at the top of `pairing.py` and in the class below. An embedding has no
start: nothing in a target says where it should lie; the first loss is that of knowing nothing (ln of the candidates).
Source: Chopra et al. 2005 (siamese); Schroff et al. 2015, arXiv:1503.03832; Chen et al. 2020, arXiv:2002.05709
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import numpy as np
import torch
from torch import nn
from typing_extensions import override

from evenkeel import losses
from evenkeel.data.target import Target
from evenkeel.errors import RequestError, ShapeError
from evenkeel.heads.base import Head, HeadPart
from evenkeel.heads.match import LossChoice
from evenkeel.heads.pairing import check_together, cosines, known_by, pair, spread_to_rows
from evenkeel.linear import Linear
from evenkeel.losses.unit import unit
from evenkeel.page.embeddings import embedding_section
from evenkeel.page.sections import Section
from evenkeel.shapes import Float, Shaped, Tensor

EMBED = "run.embed({new})  # {name}, as it was trained on"  # how a run is used


class Embedding(Head):
    """Features to an embedding, of length 1 by default.

    The target by loss: `nt_xent_from_labels`, `triplet_from_labels`: whole numbers (batch,), the same where rows belong
    together. `info_nce`, `nt_xent`: whole numbers of which each comes exactly twice; or the embeddings (batch, unit) of
    the rows' partners, from another tower; or None for an output of two views. `contrastive`: two views, and 1 where
    they are the same, else 0. `triplet`: three views (anchor, positive, negative), and None. Ones will do for None.

    Args:
        features: units that come in.
        units: units of the embedding.
        projection: `linear`, `mlp` (one hidden layer, ReLU), or None where the features are the embedding.
        length: `unit`, or `free` for losses of distances between points anywhere.
        loss: by name, a module of `losses`, or `loss(output, target) -> scalar`.
        learn: options of the loss that are learned with the weights: `("temperature",)`.
        options: options of the loss: `{"temperature": 0.1}`.
        views: views of each row where the net gives several; pairs then need no numbers that come exactly twice.

    Shapes:
        features (batch, unit), or (batch, view, unit) for views of each row -> the same with `units`.

    Raises:
        RequestError: an option that does not exist, or does not fit.

    Example:
        >>> head = Embedding(16, units=8, loss="info_nce", learn=("temperature",))
        >>> head(torch.randn(5, 16)).norm(dim=1).allclose(torch.ones(5))
        True
    """

    task = "embedding"
    default_loss = "nt_xent_from_labels"
    gives = ("embedding-labels", "embedding-pairs", "embedding-triplets")
    embeds = "output"
    examples = "compared"

    def __init__(
        self,
        features: int,
        *,
        units: int = 128,
        projection: Literal["linear", "mlp"] | None = "linear",
        length: Literal["unit", "free"] = "unit",
        loss: LossChoice | None = None,
        learn: Iterable[str] = (),
        options: Mapping[str, Any] | None = None,
        views: int = 1,
    ) -> None:
        if learn:
            loss, options = _learning(loss or self.default_loss, learn, options), None
        super().__init__(features, None, members=None, loss=loss, options=options)
        if length not in ("unit", "free"):
            raise RequestError(f"the length of an embedding is 'unit' or 'free', got {length!r}; try 'unit'")
        self.units, self.length, self.views = units, length, views
        self.projection = _projection(projection, features, units)

    @override
    def forward(self, features: Float[Tensor, "batch *view unit"]) -> Float[Tensor, "batch *view out"]:
        embedding = self.projection(features)
        return unit(embedding) if self.length == "unit" else embedding

    @override
    def check_target(self, target: Shaped[Tensor, "..."] | None) -> None:
        if self.loss_name is not None and not (self.views == 2 and known_by(self.loss_name) == "pairs"):
            check_together(target, self.loss_name)

    @override
    def loss(
        self,
        output: Float[Tensor, "batch *view unit"],
        target: Shaped[Tensor, "..."] | None = None,
        weight: Float[Tensor, "batch"] | None = None,
    ) -> Float[Tensor, ""]:
        self.check_first(target)
        if self.loss_name is None:
            return self._own_loss(output, target, weight)  # type: ignore[arg-type]
        if weight is None:
            # The loss knows best what its mean is over: rows without a partner do not count.
            return self._named(output, target, "mean")
        if known_by(self.loss_name) == "labels":
            raise RequestError(
                f"example weights do not fit {self.loss_name}, where rows count by whom they belong with; "
                "try loss='info_nce', or leave sample_weight out"
            )
        return (self.example_loss(output, target) * weight).mean()

    @override
    def loss_inputs(
        self, output: Float[Tensor, "batch *view unit"], target: Shaped[Tensor, "..."]
    ) -> tuple[tuple[Tensor, ...], Tensor]:
        """Output and target as a loss of one's own takes them: both as they are."""
        return (output,), target

    def _named(self, output: Tensor, target: Tensor | None, reduction: str) -> Tensor:
        """The loss by name, of what it compares."""
        compared = self._compared(output, target, str(self.loss_name))
        return self.loss_function(*compared, reduction=reduction, **self.options)

    def _compared(self, output: Tensor, target: Tensor | None, loss: str) -> tuple[Tensor, ...]:
        """Embeddings and, where the loss takes one, its target."""
        if target is not None and known_by(loss) == "labels":
            views = output.shape[1] if output.dim() == 3 else 1
            return output.reshape(-1, output.shape[-1]), target.repeat_interleave(views)
        both = pair(output, target, loss)
        return (*both, target) if target is not None and known_by(loss) == "sameness" else both

    @override
    def example_loss(
        self, output: Float[Tensor, "batch *view unit"], target: Shaped[Tensor, "..."] | None = None
    ) -> Float[Tensor, "batch"]:
        """Loss of each row: of the pair it belongs to, or the mean over its views."""
        return spread_to_rows(self._named(output, target, "none"), output, target)

    @override
    def start(self, target: Shaped[Tensor, "..."], weight: Float[Tensor, "row"] | None = None) -> None:
        """Look at the target; where an embedding should lie, it does not say."""
        self.check(target)

    @override
    def predict(self, output: Float[Tensor, "batch *view unit"]) -> Float[Tensor, "batch *view unit"]:
        return output

    @override
    def probability(self, output: Float[Tensor, "batch *view unit"]) -> None:
        return None

    @override
    def distribution(self, output: Float[Tensor, "batch *view unit"]) -> None:
        return None

    @override
    def calibrate(self, output: Float[Tensor, "row *view unit"], target: Shaped[Tensor, "..."]) -> None:
        return None

    @override
    def answer(self, output: Float[Tensor, "batch *view unit"], target: Target) -> np.ndarray:
        """The points; of pairs how near both sides are, from -1 to 1, (row,)."""
        points = output.detach().numpy()
        return cosines(points) if self.views == 2 else points

    @override
    def columns(self, output: Float[Tensor, "batch *view unit"], target: Target) -> Mapping[str, np.ndarray]:
        """A column for each unit; of pairs how near both sides are."""
        answer = self.answer(output, target)
        if answer.ndim == 1:
            return {"prediction": answer}
        return {f"unit {place}": answer[:, place] for place in range(answer.shape[1])}

    @override
    def picture(
        self, output: Float[Tensor, "batch *view unit"], truth: Shaped[Tensor, "batch"], target: Target
    ) -> Section | None:
        """Where the rows lie: groups in colours, or both sides of pairs."""
        groups = [str(target.levels[row]) for row in truth.tolist()] if target.levels else None
        return embedding_section(output.numpy(), groups)


class Towers(nn.Module):
    """Several inputs, each through its own net or all through one (siamese), to the views of a row.

    Args:
        nets: one net for all inputs, or one for each, all giving features of one size.

    Shapes:
        inputs of any shape, one argument each -> (batch, view, unit).

    Raises:
        ShapeError: another number of inputs than nets, or features of different sizes.

    Example:
        >>> Towers(nn.Linear(4, 8))(torch.zeros(5, 4), torch.zeros(5, 4)).shape
        torch.Size([5, 2, 8])
        >>> Towers(nn.Linear(4, 8), nn.Linear(6, 8))(torch.zeros(5, 4), torch.zeros(5, 6)).shape
        torch.Size([5, 2, 8])
    """

    def __init__(self, *nets: nn.Module) -> None:
        super().__init__()
        self.nets = nn.ModuleList(nets)

    @override
    def forward(self, *inputs: Shaped[Tensor, "..."]) -> Float[Tensor, "batch view unit"]:
        if len(self.nets) not in (1, len(inputs)):
            raise ShapeError(
                f"{len(self.nets)} towers need as many inputs, got {len(inputs)}; try Towers(net), one net for all"
            )
        each = list(self.nets) if len(self.nets) > 1 else [self.nets[0]] * len(inputs)
        features = [net(one) for net, one in zip(each, inputs, strict=True)]
        shapes = [tuple(one.shape) for one in features]
        if len(set(shapes)) > 1:
            raise ShapeError(
                f"towers must give features of one shape, got {', '.join(map(str, shapes))}; "
                "try a last nn.Linear of the same size in each"
            )
        return torch.stack(features, dim=1)


def _projection(kind: str | None, features: int, units: int) -> nn.Module:
    """The map from features to the embedding. Full-size weights: the scale cancels where the length is 1."""
    if kind is None and features == units:
        return nn.Identity()
    if kind == "linear":
        return Linear(features, units)
    if kind == "mlp":
        return nn.Sequential(Linear(features, features, variance=2.0), nn.ReLU(), Linear(features, units))
    if kind is None:
        raise RequestError(f"without a projection the embedding has {features} units, got units={units}; leave it out")
    raise RequestError(f"a projection is 'linear', 'mlp' or None, got {kind!r}; try 'linear'")


def _learning(loss: LossChoice, learn: Iterable[str], options: Mapping[str, Any] | None) -> nn.Module:
    """The module of a loss, some of whose options are trained."""
    if not isinstance(loss, str):
        raise RequestError(
            "learn needs a loss by name; a loss module learns by itself: losses.InfoNceLoss(learn=('temperature',))"
        )
    record = losses.PARTS[loss]
    module = getattr(losses, "".join(word.capitalize() for word in record.name.split("_")) + "Loss")
    return module(learn=tuple(learn), **dict(options or {}))


EMBEDDING = HeadPart(
    name="embedding",
    summary="embedding: a point for each example, near to those that belong with it",
    source="Schroff et al. 2015, arXiv:1503.03832; Chen et al. 2020, arXiv:2002.05709",
    call=Embedding,
    target="groups",
    metrics=("recall_at_k", "map_at_r", "alignment", "uniformity"),
    usage=EMBED,
)
