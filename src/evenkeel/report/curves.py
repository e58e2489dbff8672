"""How the training of a run went, from the looks that were taken."""

from __future__ import annotations

from collections.abc import Sequence

from evenkeel.page import Curve, CurvesSection
from evenkeel.record import RunRecord


def curves(record: RunRecord) -> CurvesSection | None:
    """Loss on the training and the validation rows, and the learning rate; None without a look."""
    looks = record.looks
    if not looks:
        return None
    updates = [look.update for look in looks]
    held = any(look.validation_loss is not None for look in looks)
    validation = _curve("validation", updates, [look.validation_loss for look in looks]) if held else None
    return CurvesSection(
        loss=record.loss_text,
        training=_curve("training", updates, [look.train_loss for look in looks]),
        validation=validation,
        learning_rate=_curve("learning rate", updates, [look.rate for look in looks]),
        best_update=record.best_update if record.plan.keep == "best" else None,
        seconds=record.seconds,
    )


def _curve(name: str, updates: Sequence[int], values: Sequence[float | None]) -> Curve:
    numbers = [float("nan") if value is None else value for value in values]
    return Curve(name=name, updates=updates, values=numbers)
