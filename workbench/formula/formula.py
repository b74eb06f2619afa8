"""A formula: what a network says, as expressions with names, units and the range they were fitted on.

A formula is a value. It can be evaluated and scored, written in other languages, fitted again and rounded; each of these makes a new one
and leaves the old as it was. Edges of a network that have no name yet stand in it as calls of named functions, phi_<layer>_<source>_<target>,
whose exact definitions travel along: nothing is left out.

Where one law holds for several groups of rows with a set of constants for each, `groups` gives the outputs of every group, and `outputs` is
the law with constants of its own: those of all rows together or, where they were not fitted, of the first group.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import numpy as np

from workbench.bases.basis import EdgeDefinition
from workbench.exceptions import DatasetError, ExportError, did_you_mean
from workbench.expression import (
    RESERVED_NAMES,
    Expression,
    Symbol,
    complexity,
    evaluate,
    free_constants,
    named_functions,
    readable,
    substitute,
    to_text,
    with_constants,
)
from workbench.formula.rows import Rows, group_labels, input_rows, target_rows

if TYPE_CHECKING:
    from workbench.formula.certificate import Certificate
    from workbench.formula.comparison import Comparison
    from workbench.formula.constants import ConstantInterval
    from workbench.formula.rounding import NiceFormula

EXPORTERS: dict[str, Callable[..., object]] = {}
"""Target name -> function of a formula. `workbench.export`, the layer above, fills it when it is imported; `Formula.to` imports it."""


Transform = Literal["log"]


class OutsideRangeWarning(UserWarning):
    """Rows lie outside the range that the formula was fitted on: its values there are extrapolations."""


@dataclass(frozen=True)
class Input:
    """An input: its column's own name, its symbol in expressions, its unit, and the range it was fitted on, in that unit.

    `transform` "log": the network was given its natural logarithm; the formula says so with a log of its own.
    """

    name: str
    symbol: str
    unit: str | None = None
    low: float = -np.inf
    high: float = np.inf
    transform: Transform | None = None


@dataclass(frozen=True)
class Output:
    """A target: its column's own name, its symbol, its unit, and what it equals, in that unit.

    `transform` "log": it was fitted on the scale of its natural logarithm, and so is every later fit of the constants.
    """

    name: str
    symbol: str
    unit: str | None
    expression: Expression
    transform: Transform | None = None


@dataclass(frozen=True, eq=False)
class Prediction:
    """Predicted values, and which of them are extrapolations.

    Parameters
    ----------
    values : (n_rows,), or (n_rows, n_outputs) for several outputs
    outside : (n_rows,)     whether a row lies outside the range of at least one input
    inputs_outside : name of an input -> (n_rows,)     only inputs with at least one such row
    message : one sentence about it, empty when every row lies inside
    """

    values: np.ndarray
    outside: np.ndarray
    inputs_outside: Mapping[str, np.ndarray]
    message: str


@dataclass(frozen=True)
class Formula:
    """A law as expressions; see the module's docstring.

    Parameters
    ----------
    outputs, inputs : what is computed, and from what
    definitions : name -> the exact function of an edge that has no name of its own yet; all groups' together
    groups : label -> outputs with the constants of that group of rows
    certificate : how far the formula is from the network it was read from; None when it was changed since
    notes : plain sentences about how it came about
    """

    outputs: tuple[Output, ...]
    inputs: tuple[Input, ...]
    definitions: Mapping[str, EdgeDefinition] = field(default_factory=dict)
    groups: Mapping[str, tuple[Output, ...]] = field(default_factory=dict)
    certificate: Certificate | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "definitions", MappingProxyType(dict(self.definitions)))
        object.__setattr__(self, "groups", MappingProxyType(dict(self.groups)))

    def __str__(self) -> str:
        return self.to_text()

    # ---- what it says

    def predict(self, X: Rows, groups: Sequence[object] | None = None) -> np.ndarray:
        """Evaluate on rows; a warning names the rows outside the range that the formula was fitted on.

        Parameters
        ----------
        X : (n_rows, n_inputs), or a table, frame, mapping or dataset that has the inputs as columns
        groups : (n_rows,)     label of each row's group, for a formula with `groups`

        Returns
        -------
        (n_rows,), or (n_rows, n_outputs) for several outputs
        """
        prediction = self.prediction(X, groups)
        if prediction.message:
            warnings.warn(prediction.message, OutsideRangeWarning, stacklevel=2)
        return prediction.values

    def prediction(self, X: Rows, groups: Sequence[object] | None = None) -> Prediction:
        """Evaluate on rows and say which of them lie outside the range, without a warning. Parameters as in `predict`."""
        rows = input_rows(X, self.inputs)
        beyond = {}
        for i, column in enumerate(self.inputs):
            slack = 1e-9 * (column.high - column.low) if np.isfinite(column.high - column.low) else 0.0
            outside = (rows[:, i] < column.low - slack) | (rows[:, i] > column.high + slack)
            if outside.any():
                beyond[column.name] = outside
        either = np.logical_or.reduce(list(beyond.values())) if beyond else np.zeros(len(rows), dtype=bool)
        return Prediction(self._evaluate(rows, groups), either, MappingProxyType(beyond), self._range_message(rows, either, beyond))

    def score(self, X: Rows, y: np.ndarray, groups: Sequence[object] | None = None, weights: np.ndarray | None = None) -> float:
        """Return R2, the share of the target's variance that the formula explains, in the target's own unit; the mean over outputs.

        Parameters
        ----------
        X, groups : as in `predict`
        y : (n_rows,) or (n_rows, n_outputs)
        weights : (n_rows,)     1 / sigma^2 of each row
        """
        rows = input_rows(X, self.inputs)
        y = target_rows(y, len(rows), len(self.outputs))
        values = self._evaluate(rows, groups).reshape(y.shape)
        w = np.ones(len(rows)) if weights is None else np.asarray(weights, dtype=float)
        mean = (w @ y) / w.sum()
        residual, total = w @ (y - values) ** 2, w @ (y - mean) ** 2
        if not (total > 0.0).all():
            raise DatasetError("score(X, y): R2 compares with the spread of y, and y is constant. Give rows with different values.")
        return float(np.mean(1.0 - residual / total))

    @property
    def complexity(self) -> int:
        """How long the formula is: the nodes of its expressions, plus every constant of a function that has no name yet."""
        return sum(complexity(output.expression) for output in self.outputs) + self.n_curve_constants

    @property
    def n_curve_constants(self) -> int:
        """How many constants the functions have that have no name yet."""
        used = frozenset[str]().union(*(named_functions(output.expression) for output in self.outputs))
        return sum(self.definitions[name].n_constants for name in used)

    @property
    def constants(self) -> tuple[float, ...]:
        """All constants that a fit may change, output by output."""
        return tuple(value for output in self.outputs for value in free_constants(output.expression))

    def with_constants(self, values: Sequence[float]) -> Formula:
        """Return the formula with other values for `constants`, without the certificate, which was of the old ones."""
        values = [float(value) for value in values]
        if len(values) != len(self.constants):
            raise DatasetError(f"with_constants(values): this formula has {len(self.constants)} constants; got {len(values)} values.")
        outputs, start = [], 0
        for output in self.outputs:
            stop = start + len(free_constants(output.expression))
            outputs.append(replace(output, expression=with_constants(output.expression, values[start:stop])))
            start = stop
        return replace(self, outputs=tuple(outputs), certificate=None)

    # ---- its constants

    def refit(self, X: Rows, y: np.ndarray, weights: np.ndarray | None = None, groups: Sequence[object] | None = None) -> Formula:
        """Fit all constants again by least squares, of log(y) for an output with that transform; with `groups`, also for every group.

        Parameters
        ----------
        X, y, weights, groups : as in `score`
        """
        from workbench.formula import constants

        return constants.refit(self, X, y, weights, groups)

    def intervals(self, X: Rows, y: np.ndarray, weights: np.ndarray | None = None) -> tuple[ConstantInterval, ...]:
        """Return the standard error and the 95 % interval of every constant, in the order of `constants`."""
        from workbench.formula import constants

        return constants.intervals(self, X, y, weights)

    def stability(self, X: Rows, y: np.ndarray, weights: np.ndarray | None = None) -> float | None:
        """Return the share of resamplings of the rows in which every constant keeps its sign and stays within its 95 % region."""
        from workbench.formula import stability

        return stability.stability(self, X, y, weights)

    def compare(self, other: Formula | str, X: Rows) -> Comparison:
        """Say how another formula of the same inputs is related to this one: the same, the same but for constants, or where they part.

        Parameters
        ----------
        other : a formula, or one as text, such as "k*Girth^2*Height"; names that are no columns are constants, fitted to this formula
        X : rows on which they are compared
        """
        from workbench.formula import comparison

        return comparison.compare(self, other, X)

    def rounded(self, decimals: int) -> Formula:
        """Round every constant to `decimals` decimals, and to as many significant digits where it is smaller than one."""
        from workbench.formula import rounding

        return rounding.rounded(self, decimals)

    def nice(self, X: Rows, y: np.ndarray, weights: np.ndarray | None = None, tolerance: float = 1e-6) -> NiceFormula:
        """Replace constants by integers, fractions, multiples of pi, e or a root wherever the data cannot tell the difference."""
        from workbench.formula import rounding

        return rounding.nice(self, X, y, weights, tolerance)

    @property
    def fits_units(self) -> bool | None:
        """Whether it fits the units of its columns, if plain numbers may have one, as fitted ones do; None where too little is known of them."""
        from workbench.formula import dimensions

        outputs = tuple(replace(output, expression=dimensions.loosened(output.expression)) for output in self.outputs)
        return dimensions.fits_units(replace(self, outputs=outputs))

    # ---- other languages

    def to_text(self) -> str:
        """Return one line per output, `symbol = expression`, with all digits; it parses back to the same formula."""
        return "\n".join(f"{output.symbol} = {to_text(output.expression)}" for output in self.outputs)

    def readable(self, decimals: int) -> str:
        """Return the same with rounded constants, for people to read: 273.15 and not 5463/20."""
        return "\n".join(f"{output.symbol} = {readable(output.expression)}" for output in self.rounded(decimals).outputs)

    def python_expression(self) -> str:
        """Return the expression in Python's notation, one line per output; functions by plain name (exp, log, sqrt, ...), all digits."""
        return "\n".join(map(to_text, self.own_expressions()))

    def own_expressions(self) -> tuple[Expression, ...]:
        """Return the outputs' expressions in the columns' own names where they are identifiers, else in their symbols."""
        names = _own_names(self.inputs)
        return tuple(substitute(output.expression, names) for output in self.outputs)

    def to(self, target: str, **options: object) -> object:
        """Write the formula for a target such as "python", "latex" or "excel"; `workbench.export` documents them all."""
        if target not in EXPORTERS:
            importlib.import_module("workbench.export")  # it fills the table
        if target not in EXPORTERS:
            hint = did_you_mean(target, EXPORTERS)
            raise ExportError(f"formula.to({target!r}): no such target.{hint} Known: {', '.join(sorted(EXPORTERS))}.")
        return EXPORTERS[target](self, **options)

    def to_python(self, **options: object) -> str:
        """Return a Python module with a function of the inputs."""
        return str(self.to("python", **options))

    def to_latex(self, **options: object) -> str:
        """Return the formula in LaTeX."""
        return str(self.to("latex", **options))

    @property
    def certificate_text(self) -> str:
        """The certificate as one plain sentence, or why there is none."""
        if self.certificate is None:
            return "This formula was changed after it was read from a network; it carries no certificate."
        return self.certificate.text

    # ---- private

    def _evaluate(self, rows: np.ndarray, groups: Sequence[object] | None) -> np.ndarray:
        values = {column.symbol: rows[:, i] for i, column in enumerate(self.inputs)}
        result = np.empty((len(rows), len(self.outputs)))
        for chosen, outputs in self._parts(len(rows), groups):
            some = {symbol: column[chosen] for symbol, column in values.items()}
            for t, output in enumerate(outputs):
                result[chosen, t] = evaluate(output.expression, some, self.definitions)
        return result[:, 0] if len(self.outputs) == 1 else result

    def _parts(self, n_rows: int, groups: Sequence[object] | None) -> list[tuple[np.ndarray, tuple[Output, ...]]]:
        """Return which rows are computed by which outputs."""
        if groups is None:
            return [(np.arange(n_rows), self.outputs)]
        labels = group_labels(groups, n_rows)
        unknown = sorted(set(labels) - set(self.groups))
        if unknown:
            known = ", ".join(map(repr, self.groups)) or "none: the formula was not fitted per group"
            raise DatasetError(f"groups: there are no constants for {unknown[0]!r}. Known groups: {known}.")
        return [(np.flatnonzero(labels == label), outputs) for label, outputs in self.groups.items()]

    def _range_message(self, rows: np.ndarray, outside: np.ndarray, beyond: Mapping[str, np.ndarray]) -> str:
        if not beyond:
            return ""
        numbers = np.flatnonzero(outside) + 1  # people count rows from 1
        some = ", ".join(map(str, numbers[:5])) + (", ..." if len(numbers) > 5 else "")
        parts = []
        for i, column in enumerate(self.inputs):
            if column.name in beyond:
                seen = rows[beyond[column.name], i]
                parts.append(f"{column.name} {seen.min():.4g} to {seen.max():.4g}, fitted on {column.low:.4g} to {column.high:.4g}")
        return (
            f"{len(numbers)} of {len(rows)} rows lie outside the range that the formula was fitted on (rows {some}): {'; '.join(parts)}. "
            "Its values there are extrapolations."
        )


def _own_names(inputs: Sequence[Input]) -> dict[str, Symbol]:
    """Return symbol -> the column's own name as a symbol, where it is one that nothing else has."""
    taken = {column.symbol for column in inputs}
    return {
        column.symbol: Symbol(column.name)
        for column in inputs
        if column.name.isidentifier() and column.name not in RESERVED_NAMES and column.name not in taken - {column.symbol}
    }
