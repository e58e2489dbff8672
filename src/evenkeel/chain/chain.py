"""The chain of one pass: its links, its two ends, and the whole as a table or a figure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from evenkeel.chain.figure import figure
from evenkeel.chain.link import Link, product, ratio
from evenkeel.chain.table import figure_of, share_of, table


@dataclass(frozen=True, kw_only=True)
class Chain:
    """The measured back-propagation chain of one model on one batch, from the input to the output.

    In a notebook it shows itself as a figure; in a terminal, `print(chain.table())`.
    """

    links: tuple[Link, ...]
    """The top level in forward order; `walk` also yields what is nested."""
    loss: float
    known_loss: float | None
    """The loss of an output of zeros (ln C for cross-entropy): what a network that knows nothing should start near."""
    starts_at: str
    """`output` where the chain begins at the model's output y; `loss` where the loss also reaches past it."""
    output_gradient: float | None
    """Norm of dL/dy, the first factor of the chain (1 where the chain starts at the loss)."""
    output_gradient_rms: float | None
    input_gradient: float | None
    """Norm of the gradient at the chain's lower end."""
    gradient_similarity: float | None
    """Mean cosine between the gradients of different examples at the chain's lower end."""
    example_gains: tuple[float, ...]
    """For each example, gradient norm at the lower end over that at the output; empty without an axis of examples."""
    batch: int | None
    """Examples in the batch."""
    without_gradient: tuple[str, ...]
    """Trainable parameters that got no gradient at all."""
    frozen: tuple[str, ...]
    """Parameters that take no gradient."""

    @property
    def total_gain(self) -> float | None:
        """||gradient at the lower end|| / ||dL/dy||: the product of all links' gains where all cuts are exact."""
        return ratio(self.input_gradient, self.output_gradient)

    @property
    def expected_gain(self) -> float | None:
        """The product of the links' expected gains; None where one of them has no theory."""
        return product([link.expected_gain for link in self.links if link.gain is not None])

    @property
    def ideal_gain(self) -> float | None:
        """The product of the links' ideal gains; None where one of them has no ideal."""
        return product([link.ideal_gain for link in self.links if link.gain is not None])

    @property
    def ideal_scatter(self) -> float | None:
        """Standard deviation of log10 of one example's total gain around the ideal, by theory, in decades."""
        parts = [link.scatter for link in self.links if link.gain is not None]
        known = [part for part in parts if part is not None]
        if not known or len(known) < len(parts):
            return None
        return 0.5 * math.sqrt(sum(known)) / math.log(10)

    def walk(self) -> Iterator[tuple[int, Link]]:
        """Every link in forward order, each followed by those inside its branches, with the depth of nesting."""
        for link in self.links:
            yield from link.walk()

    def table(self, *, depth: int = 1, width: int = 110) -> str:
        """The chain as text for a terminal, branches down to `depth`."""
        return f"{table(self.links, depth=depth, width=width)}\n{self._summary()}"

    def figure(self, *, title: str = "The back-propagation chain") -> str:
        """The chain as an SVG document: backward and forward rms by depth, the ideal band, similarity, branches."""
        return figure(self.links, self.output_gradient, self.total_gain, title=title)

    def _summary(self) -> str:
        """Gains and losses of the whole, the chain over time of recurrent layers, and parameters without a gradient."""
        lines = [
            f"total gain {figure_of(self.total_gain)} (expected {figure_of(self.expected_gain)}, "
            f"ideal {figure_of(self.ideal_gain)}), |dL/d{'y' if self.starts_at == 'output' else 'L'}| "
            f"{figure_of(self.output_gradient)}, gradients of different examples alike: "
            f"{share_of(self.gradient_similarity)}",
            f"loss {figure_of(self.loss)}, of an output of zeros {figure_of(self.known_loss)}",
        ]
        for link in self.links:
            for direction in link.steps.directions if link.steps is not None else ():
                span = f"forgotten after {direction.span} steps" if direction.span else "remembered to the first step"
                lines.append(f"{link.name}, {direction.name}: gain per step {figure_of(direction.gain)}, {span}")
        if self.without_gradient:
            lines.append(f"no gradient: {', '.join(self.without_gradient[:8])}")
        return "\n".join(lines)

    def _repr_svg_(self) -> str:
        return self.figure()

    def __str__(self) -> str:
        return self.table()
