"""A state of a discovery: the networks after a move, with what they score. States are values and form a tree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.dataset import Dataset
from workbench.discovery.moves import Move
from workbench.networks import KAN
from workbench.training import Problem, score


@dataclass(frozen=True)
class Metrics:
    """Figures of a state. Errors are in units of the target's spread; r2_test is None where there are no test rows.

    All of them, r2_test too, are on the scale that is fitted: that of log(y) for a target seen as its logarithm. `Formula.score` is in the
    scale of the table.
    """

    r2_train: float
    r2_validation: float
    r2_test: float | None
    rmse_train: float
    rmse_validation: float
    n_edges: int
    n_symbolic: int

    def to_json(self) -> dict[str, float | int | None]:
        return dict(self.__dict__)


@dataclass(frozen=True, eq=False)
class State:
    """The networks (one per group of rows, one in all where there are no groups) after a move.

    Parameters
    ----------
    id : 1, 2, 3 ... in the order in which states were made
    parent : the state the move was made from, None for the first
    move : what led here
    networks : one network per group, all of one structure
    roughness : weight of the smoothness penalty of learned edges, chosen by the fit and kept by refits
    metrics : what it scores
    """

    id: int
    parent: int | None
    move: Move
    networks: tuple[KAN, ...]
    roughness: float
    metrics: Metrics


def problems(data: Dataset) -> tuple[Problem, ...]:
    """Return one problem per group of rows; one in all where there are no groups."""
    if data.groups is None:
        return (Problem.from_dataset(data),)
    return tuple(Problem.from_dataset(data, group) for group in range(len(data.group_labels)))


def measure(data: Dataset, networks: tuple[KAN, ...], parts: tuple[Problem, ...], roughness: float) -> Metrics:
    """Score networks on the data; test rows are read here and nowhere else, for reporting only."""
    scores = [score(network, part, roughness) for network, part in zip(networks, parts, strict=True)]
    rows = np.array([part.n_rows for part in parts], dtype=float)
    share = rows / rows.sum()
    mean = {
        name: float(share @ [getattr(s, name) ** 2 for s in scores]) ** 0.5 for name in ("rmse_train", "rmse_validation")
    }
    return Metrics(
        r2_train=float(share @ [s.r2_train for s in scores]),
        r2_validation=float(share @ [s.r2_validation for s in scores]),
        r2_test=r2_on(data, networks, data.split.test),
        rmse_train=mean["rmse_train"],
        rmse_validation=mean["rmse_validation"],
        n_edges=len(networks[0].edges()),
        n_symbolic=len([edge for edge in networks[0].edges() if networks[0].symbolic_edge(edge)]),
    )


def predict(data: Dataset, networks: tuple[KAN, ...], rows: np.ndarray) -> np.ndarray:
    """Predict rows of the data in the scale of the table, each row by its group's network: (n_rows, n_outputs)."""
    return data.original_targets(outputs(data, networks, rows))


def outputs(data: Dataset, networks: tuple[KAN, ...], rows: np.ndarray) -> np.ndarray:
    """Evaluate the networks on rows of the data, each row by its group's network, on the scale that is fitted: (n_rows, n_outputs)."""
    X = data.seen(data.X[rows])
    if data.groups is None:
        return networks[0](X)
    values = np.empty((len(rows), networks[0].n_outputs))
    for group, network in enumerate(networks):
        of_group = data.groups[rows] == group
        if of_group.any():
            values[of_group] = network(X[of_group])
    return values


def r2_on(data: Dataset, networks: tuple[KAN, ...], rows: np.ndarray) -> float | None:
    """Return R2 on rows on the scale that is fitted (mean over targets), for classes the share predicted right; None without two rows."""
    if len(rows) < 2:
        return None
    truth, values = data.seen_targets(data.y[rows]), outputs(data, networks, rows)
    if data.task == "classification":
        problem = Problem(data.X[rows].T, truth.T, None, "cross_entropy", len(data.classes))
        return float((problem.probabilities(values.T).argmax(0) == truth[:, 0]).mean())
    spread = ((truth - truth.mean(0)) ** 2).sum(0)
    residual = ((truth - values) ** 2).sum(0)
    known = spread > 0
    return float((1 - residual[known] / spread[known]).mean()) if known.any() else None
