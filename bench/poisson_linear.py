"""A linear Poisson model trained with our loss against the maximum likelihood of a statistics package.

NMES1988, 8 parameters: the published fit of the Poisson GLM has log-likelihood -17971.61, mean NLL 4.07889.
"""

from __future__ import annotations

import torch

from bench._machine import publish, table
from bench._sets import folder, nmes
from evenkeel.data.table import read_table
from evenkeel.losses import poisson_nll

PUBLISHED = [1.0289, 0.1648, 0.2483, -0.3620, 0.1466, -0.1123, 0.0261, 0.2017]
NAMES = ["1", "hospital", "poor", "excellent", "chronic", "male", "school", "insurance"]
PUBLISHED_NLL = 4.07889
FOLDS = 5


def columns() -> tuple[torch.Tensor, torch.Tensor]:
    """The design matrix (row, 8) and the counts, float64."""
    frame = read_table(folder() / "nmes1988-counts" / "NMES1988.csv")
    found = [
        torch.ones(frame.height, dtype=torch.float64),
        *(
            torch.tensor(values.to_list(), dtype=torch.float64)
            for values in (
                frame["hospital"],
                frame["health"] == "poor",
                frame["health"] == "excellent",
                frame["chronic"],
                frame["gender"] == "male",
                frame["school"],
                frame["insurance"] == "yes",
            )
        ),
    ]
    return torch.stack(found, dim=1), torch.tensor(frame["visits"].to_list(), dtype=torch.float64)


def fit(rows: list[int] | None = None) -> tuple[float, list[float]]:
    """Mean NLL and coefficients of the linear model at its optimum, on the given rows or all."""
    matrix, visits = columns()
    if rows is not None:
        matrix, visits = matrix[rows], visits[rows]
    weight = torch.zeros(matrix.shape[1], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight], max_iter=200, line_search_fn="strong_wolfe", tolerance_grad=1e-10)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = poisson_nll(matrix @ weight, visits, constant=True)
        loss.backward()
        return loss

    optimizer.step(closure)
    return float(closure().detach()), weight.tolist()


def held_out() -> float:
    """Mean NLL on the test rows of the folds that bench/quality.py uses, each fitted on its training rows."""
    matrix, visits = columns()
    found = []
    for index in range(FOLDS):
        split = nmes(index).split
        weight = torch.tensor(fit(split["train"])[1], dtype=torch.float64)
        found.append(float(poisson_nll(matrix[split["test"]] @ weight, visits[split["test"]], constant=True)))
    return sum(found) / len(found)


def main() -> None:
    loss, weights = fit()
    rows: list[list[object]] = [["mean NLL", f"{PUBLISHED_NLL:.5f}", f"{loss:.5f}"]]
    rows.append([f"mean NLL on held-out rows, {FOLDS} folds", "-", f"{held_out():.4f}"])
    rows += [[name, f"{p:.4f}", f"{w:.4f}"] for name, p, w in zip(NAMES, PUBLISHED, weights, strict=True)]
    body = table(["", "published", "evenkeel.losses.poisson_nll"], rows)
    command = "EVENKEEL_DATA=... python -m bench.poisson_linear"
    publish("poisson_linear", "A linear Poisson model on NMES1988", command, body)


if __name__ == "__main__":
    main()
