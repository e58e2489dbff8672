"""What a run said about the test rows that it keeps, beside the truth, in words: for the pictures of its report."""

from __future__ import annotations

import numpy as np

from evenkeel.heads.answers import Answers
from evenkeel.run.run import Run


def answers_of(run: Run) -> Answers | None:
    """What was said of the kept rows; None where answers are neither numbers, classes nor labels, or none are kept."""
    if "output" not in run.sample or run.part.reads not in ("number", "class", "labels"):
        return None
    head, output, target = run.network.head, run.sample["output"], run.sample["target"].numpy()
    if run.part.reads == "number":
        predicted = head.predict(output).double().numpy()
        return Answers(
            truth=[f"{value:.4g}" for value in target],
            prediction=[f"{value:.4g}" for value in predicted],
            miss=np.abs(predicted - target),
        )
    probability = np.asarray(head.probability(output))
    names = np.asarray([str(level) for level in run.classes])
    if run.part.reads == "class":
        predicted, confidence = probability.argmax(1), probability.max(1)
        right = predicted == target
        truth, prediction = names[target].tolist(), names[predicted].tolist()
    else:
        right = ((probability > 0.5) == (target > 0.5)).all(1)
        confidence = np.maximum(probability, 1 - probability).prod(1)
        truth, prediction = _labels(target > 0.5, names), _labels(probability > 0.5, names)
    miss = np.where(right, -confidence, confidence)
    return Answers(truth=truth, prediction=prediction, miss=miss, right=right, confidence=confidence)


def _labels(there: np.ndarray, names: np.ndarray) -> list[str]:
    """The labels that hold, one after the other."""
    return [", ".join(names[row]) or "none" for row in there]
