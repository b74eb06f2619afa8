"""The proof that a formula is the model: the largest difference between network and formula, on every part of the data and beyond it.

    max_abs[part] = max over the rows of a part, and over outputs, of |network(x) - formula(x)|

Both are compared in the columns' own units: where the network sees a logarithm, log is taken before it and exp after it.

Parts are the rows given (training, validation, test) and fresh points: drawn evenly from the box of the inputs' ranges, where no data need
be. A row where both have no value (the logarithm of a negative number) is in agreement and is counted; a row where only one has makes
the difference infinite. The formula is called exact where no difference exceeds 1e-9 of the largest value, which is what rounding leaves.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from workbench.formula.formula import Formula
from workbench.formula.rows import Rows, input_rows, original, seen
from workbench.networks import KAN

ROUNDING = 1e-9
_PARTS = {"train": "training rows", "validation": "validation rows", "test": "test rows", "fresh": "fresh points"}


@dataclass(frozen=True)
class Certificate:
    """How far a formula is from the network it was read from.

    Parameters
    ----------
    max_abs : part ("train", "validation", "test", "fresh") -> largest absolute difference
    y_rms : root mean square of the network's outputs on the rows given: what a difference is to be compared with
    exact : whether every difference is a rounding error
    n_rows : part -> number of rows compared
    n_undefined : number of rows where neither has a finite value
    """

    max_abs: Mapping[str, float]
    y_rms: float
    exact: bool
    n_rows: Mapping[str, int]
    n_undefined: int = 0

    @property
    def text(self) -> str:
        """All of this in one plain sentence."""
        counts = {part: f"{self.n_rows[part]} {_PARTS.get(part, part)}" for part in self.max_abs}
        typical = f"(typical value {self.y_rms:.4g})"
        aside = f" On {self.n_undefined} of these rows neither has a finite value." if self.n_undefined else ""
        if self.exact:
            largest, where = max(self.max_abs.values()), _listed(list(counts.values()))
            relation = f"differ by at most {largest:.1e}" if largest else "agree to the last digit"
            return f"The formula is the network: they {relation} on {where} {typical}.{aside}"
        each = _listed([f"{_size(value, self.y_rms)} on {counts[part]}" for part, value in self.max_abs.items()])
        return f"The formula is not exactly the network: they differ by at most {each} {typical}.{aside}"

    def to_json(self) -> dict[str, object]:
        """Return max_abs, y_rms and exact as JSON; an infinite difference is null."""
        return {
            "max_abs": {part: value if math.isfinite(value) else None for part, value in self.max_abs.items()},
            "y_rms": self.y_rms,
            "exact": self.exact,
        }


def certify(
    network: KAN, formula: Formula, samples: Mapping[str, Rows], *, n_fresh: int = 1000, random_state: int = 0
) -> Certificate:
    """Compare a formula with a network; neither changes.

    Parameters
    ----------
    network : KAN
    formula : Formula
    samples : part -> rows, such as {"train": X_train, "test": X_test}; empty parts are left out
    n_fresh : points to draw from the box of the inputs' ranges
    random_state : seed of the fresh points
    """
    parts = {name: input_rows(X, formula.inputs) for name, X in samples.items() if len(X)}  # type: ignore[arg-type]
    parts["fresh"] = _fresh(network, formula, n_fresh, random_state)
    with np.errstate(all="ignore"):
        values = {name: original(network(seen(rows, formula.inputs)), formula.outputs) for name, rows in parts.items()}
        written = {name: formula.prediction(rows).values.reshape(values[name].shape) for name, rows in parts.items()}
    max_abs = {name: _largest_difference(values[name], written[name]) for name in parts}
    given = [value for name, value in values.items() if name != "fresh"] or list(values.values())
    finite = np.concatenate([value[np.isfinite(value)] for value in given])
    everywhere = np.concatenate([np.abs(value[np.isfinite(value)]) for value in values.values()])
    return Certificate(
        max_abs,
        float(np.sqrt(np.mean(finite**2))) if finite.size else 0.0,
        bool(max(max_abs.values()) <= ROUNDING * everywhere.max(initial=0.0)),
        {name: len(rows) for name, rows in parts.items()},
        sum(int((~np.isfinite(value)).any(1).sum()) for value in values.values()),
    )


def combined(certificates: Sequence[Certificate]) -> Certificate:
    """Return one certificate for several pairs of formula and network: one law with a set of constants per group of rows."""
    parts = dict.fromkeys(part for certificate in certificates for part in certificate.max_abs)
    rows = [sum(count for part, count in c.n_rows.items() if part != "fresh") or c.n_rows["fresh"] for c in certificates]
    squares = [n * c.y_rms**2 for n, c in zip(rows, certificates, strict=True)]
    return Certificate(
        {part: max(c.max_abs.get(part, 0.0) for c in certificates) for part in parts},
        math.sqrt(sum(squares) / sum(rows)),
        all(c.exact for c in certificates),
        {part: sum(c.n_rows.get(part, 0) for c in certificates) for part in parts},
        sum(c.n_undefined for c in certificates),
    )


def _fresh(network: KAN, formula: Formula, count: int, seed: int) -> np.ndarray:
    """Draw points from the box of the ranges, evenly as the network sees it; an input without a range has that of its knots."""
    ranges = np.array([[column.low for column in formula.inputs], [column.high for column in formula.inputs]])
    low, high = seen(ranges, formula.inputs)
    known = np.isfinite(low) & np.isfinite(high)
    domain = network.layers[0].domain
    low, high = np.where(known, low, domain[:, 0]), np.where(known, high, domain[:, 1])
    return original(np.random.default_rng(seed).uniform(size=(count, len(low))) * (high - low) + low, formula.inputs)


def _largest_difference(network: np.ndarray, formula: np.ndarray) -> float:
    neither = ~np.isfinite(network) & ~np.isfinite(formula)
    with np.errstate(all="ignore"):
        difference = np.where(neither, 0.0, np.abs(network - formula))
    return float(np.where(np.isnan(difference), np.inf, difference).max(initial=0.0))


def _size(difference: float, y_rms: float) -> str:
    if not math.isfinite(difference):
        return "infinity (only one of them has a value)"
    return f"{difference:.2g}" + (f" ({100 * difference / y_rms:.2g} %)" if y_rms > 0 else "")


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]
