"""Embeddings that are compared row by row must have one shape, (batch, unit)."""

from torch import Tensor

from evenkeel.errors import ShapeError


def require_one_shape(**embeddings: Tensor) -> None:
    """Raise `ShapeError` unless all are (batch, unit) of one shape."""
    shapes = {name: tuple(tensor.shape) for name, tensor in embeddings.items()}
    if len(set(shapes.values())) == 1 and all(len(shape) == 2 for shape in shapes.values()):
        return
    came = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
    raise ShapeError(f"expected {' and '.join(shapes)} of one shape (batch, unit), got {came}; try x.flatten(1)")


def require_one_label_each(embedding: Tensor, labels: Tensor) -> None:
    """Raise `ShapeError` unless the embedding is (batch, unit) and the labels are (batch,)."""
    if embedding.ndim != 2 or labels.shape != embedding.shape[:1]:
        raise ShapeError(
            f"expected embedding (batch, unit) and one label per row, got {tuple(embedding.shape)} and "
            f"{tuple(labels.shape)}; try labels.flatten()"
        )
