"""The record that each head file ends with."""

from dataclasses import dataclass
from typing import Literal

from evenkeel.data.target import TargetKind
from evenkeel.heads.base import Head, fitting_losses
from evenkeel.parts import Part


@dataclass(frozen=True, kw_only=True)
class HeadPart(Part):
    """A kind of head: its class, the target it reads, and the metrics it is judged by, the first one foremost.

    Where several heads answer one task, one is chosen by the task and the others by their name.
    """

    call: type[Head]
    reads: TargetKind
    metrics: tuple[str, ...]
    chosen: Literal["by-task", "by-name"] = "by-task"

    @property
    def losses(self) -> tuple[str, ...]:
        """Names of the losses that fit."""
        return fitting_losses(self.call)
