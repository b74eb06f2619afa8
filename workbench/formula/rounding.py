"""Constants a person would write: 3.007 -> 3, 0.4998 -> 1/2, 6.2832 -> 2*pi, and no more digits than the data know.

A replacement is judged by what it costs: the change of the root mean square error after the *other* constants were fitted again. It is
taken when the data cannot tell the difference,

    n_rows (rmse_after^2 - rmse_before^2) / sigma^2 <= t_0.975^2          the replaced value lies in the constant's profile interval

(Seber & Wild, 1989, section 5.2.3), or when it moves the constant by less than `tolerance` of its size: what noise-free data need. With
wide intervals some fraction always lies inside, by chance. So the replacement must also be the shorter description (Rissanen, 1978): it may
take at most as many bits as the data know of the constant, less three:

    bits(exact constant) + 3 <= log2(|value| / half width of the interval)

A number of b bits lies in the interval by chance about once in 2^(known bits - b) times; integers and small fractions are the cheapest because
they are what laws are made of. Zero needs no bits: it is tried where the constant is not told from it, or moves nothing.

An input never disappears by rounding; that is for pruning to decide. Of a formula of many constants that the rows hardly know the search ends after some
tries in vain: its constants are rounded to the digits that are known.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from workbench.exceptions import TrainingError
from workbench.expression import (
    Call,
    Constant,
    Expression,
    Number,
    complexity,
    evaluate,
    fold,
    free_constants,
    nearest_exact,
    symbols,
    to_text,
    walk,
    with_constants,
)
from workbench.formula.constants import samples_of, uncertainty
from workbench.formula.fitting import Sample, fitted
from workbench.formula.formula import Formula
from workbench.formula.rows import Rows

_MARGIN_BITS = 3.0
_PATIENCE = 240  # constants that are fitted again in vain before no further exact value is tried: ten tries of a formula of 24 constants
_CONSTANT_BITS, _FUNCTION_BITS = 4.0, 3.0  # pi and e are rarer in laws than integers, roots too


@dataclass(frozen=True)
class Replacement:
    """A plainer value for one constant, and what it costs.

    Parameters
    ----------
    output : name of the output whose expression holds the constant
    index : its number among the constants of that output, when it was tried
    value : the fitted constant
    exact : what stands, or would stand, in its place
    cost : change of the root mean square error, in the output's unit (of its logarithm, where that is fitted), after the other constants were fitted again
    applied : whether it was taken
    """

    output: str
    index: int
    value: float
    exact: Expression
    cost: float
    applied: bool

    def __str__(self) -> str:
        verdict = "taken" if self.applied else "not taken"
        return f"{self.output}: {self.value:.6g} -> {to_text(self.exact)}, RMSE {self.cost:+.2g}, {verdict}"


@dataclass(frozen=True)
class NiceFormula:
    """A formula with plainer constants, and every replacement that was tried, in order."""

    formula: Formula
    replacements: tuple[Replacement, ...]


def rounded(formula: Formula, decimals: int) -> Formula:
    """Round every constant to `decimals` decimals; below one, to as many significant digits, so that no constant becomes 0.

    >>> plain_decimal(1234.56789, 3), plain_decimal(0.000123456, 3)
    (1234.568, 0.000123)
    """
    values = [plain_decimal(value, decimals) for value in formula.constants]
    note = f"Constants are rounded to {decimals} decimals (below one: to {decimals} significant digits)."
    return replace(formula.with_constants(values), notes=(*formula.notes, note), groups=_rounded_groups(formula, decimals))


def plain_decimal(value: float, decimals: int) -> float:
    """Round to decimals, or to as many significant digits where the size is below one."""
    if value == 0.0 or abs(value) >= 1.0:
        return round(value, decimals)
    return round(value, max(decimals, 1) - 1 - math.floor(math.log10(abs(value))))


def nice(formula: Formula, X: Rows, y: np.ndarray, weights: np.ndarray | None = None, tolerance: float = 1e-6) -> NiceFormula:
    """Replace constants by exact ones, simplest first, wherever the data cannot tell; the others are fitted again after each.

    Parameters
    ----------
    formula : Formula
    X, y, weights : as in `constants.refit`
    tolerance : relative change of a constant that is always allowed

    Returns
    -------
    NiceFormula     with all replacements that were tried and what each costs
    """
    outputs, tried = [], []
    for output, sample in zip(formula.outputs, samples_of(formula, X, y, weights), strict=True):
        search = _Search(output.name, fitted(output.expression, sample), sample, tolerance)
        outputs.append(replace(output, expression=search.run()))
        tried += search.tried
    notes = formula.notes
    exact = [f"{item.value:.6g} → {to_text(item.exact)}" for item in tried if item.applied and not _is_float(item.exact)]
    if exact:
        notes = (*notes, f"Constants replaced because the data cannot tell the difference: {', '.join(exact)}.")
    if any(item.applied and _is_float(item.exact) for item in tried):
        notes = (*notes, "Other constants are rounded to the digits that the data know.")
    return NiceFormula(replace(formula, outputs=tuple(outputs), groups={}, certificate=None, notes=notes), tuple(tried))


def options(formula: Formula, index: int, X: Rows, y: np.ndarray, weights: np.ndarray | None = None) -> tuple[Replacement, ...]:
    """Return plainer values for one constant with what each costs, simplest first; nothing is applied.

    Parameters
    ----------
    formula, X, y, weights : as in `nice`
    index : number of the constant in `Formula.constants`
    """
    place, number = _locate(formula, index)
    output, sample = formula.outputs[place], samples_of(formula, X, y, weights)[place]
    value = free_constants(output.expression)[number]
    before = sample.rmse(fitted(output.expression, sample))
    found = []
    for exact in _plain_values(value):
        trial = _tried(output.expression, number, exact, sample)
        if trial is not None:
            found.append(Replacement(output.name, number, value, exact, sample.rmse(trial) - before, False))
    return tuple(found)


def replaced(
    formula: Formula, index: int, exact: Expression, X: Rows, y: np.ndarray, weights: np.ndarray | None = None
) -> Formula:
    """Put an exact value in place of one constant and fit the others again.

    Raises
    ------
    TrainingError : the formula has no finite values with it
    """
    place, number = _locate(formula, index)
    output = formula.outputs[place]
    trial = _tried(output.expression, number, exact, samples_of(formula, X, y, weights)[place])
    if trial is None:
        raise TrainingError(
            f"replaced(formula, {index}, {to_text(exact)}): with this value the formula is undefined on some rows or loses an input. "
            "Give another value."
        )
    outputs = [replace(output, expression=trial) if i == place else other for i, other in enumerate(formula.outputs)]
    return replace(formula, outputs=tuple(outputs), groups={}, certificate=None)


class _Search:
    """The greedy search on one expression: simplest replacement first, a new start after each that is taken."""

    def __init__(self, name: str, expression: Expression, sample: Sample, tolerance: float) -> None:
        self.name, self.expression, self.sample, self.tolerance = name, expression, sample, tolerance
        self.tried: list[Replacement] = []
        self._refused: set[tuple[str, Expression]] = set()
        self._in_vain = 0  # constants that were fitted again for replacements that were refused

    def run(self) -> Expression:
        while self._step():
            pass
        return self._with_known_digits()

    def _step(self) -> bool:
        """Try replacements, simplest first; return True as soon as one was taken."""
        values, _, half_widths = uncertainty(self.expression, self.sample)
        idle = self._moves_nothing(values)
        proposals = []
        for number, (value, half) in enumerate(zip(values, half_widths, strict=True)):
            exact = Number(0) if idle[number] else _proposal(value, half, self.tolerance)
            if exact is not None and (f"{value:.6g}", exact) not in self._refused:
                proposals.append((description_bits(exact), number, exact))
        for _, number, exact in sorted(proposals, key=lambda item: item[:2]):
            if self._in_vain >= _PATIENCE:
                return False
            if self._take(number, exact, values[number]):
                return True
            self._refused.add((f"{values[number]:.6g}", exact))
            self._in_vain += len(values)
        return False

    def _moves_nothing(self, values: Sequence[float]) -> np.ndarray:
        """Say for each constant whether setting it to 0 would move the output by less than `tolerance` of its size."""
        _, jacobian = self.sample.linearised(self.expression)
        size = np.sqrt(np.mean((self.sample.y * self.sample.root_weights) ** 2))
        with np.errstate(invalid="ignore", over="ignore"):
            return np.abs(values) * np.sqrt(np.mean(jacobian**2, axis=0)) <= self.tolerance * size

    def _take(self, number: int, exact: Expression, value: float) -> bool:
        trial = _tried(self.expression, number, exact, self.sample)
        if trial is None:
            return False
        before, after = self.sample.rmse(self.expression), self.sample.rmse(trial)
        close = abs(_value(exact) - value) <= self.tolerance * abs(value)
        taken = close or self._indistinguishable(before, after)
        self.tried.append(Replacement(self.name, number, value, exact, after - before, taken))
        if taken:
            self.expression = trial
        return taken

    def _indistinguishable(self, before: float, after: float) -> bool:
        """Whether a rise of the error is within the profile interval of one constant."""
        from scipy.special import stdtrit

        n = len(self.sample.y)
        freedom = n - len(free_constants(self.expression))
        noise = 1e-12 * float(np.sqrt(np.mean(self.sample.y**2)))  # what float64 leaves of a noise-free target
        if freedom <= 0:
            return after <= before + noise
        sigma2 = before**2 * n / freedom
        return n * (after**2 - before**2) <= float(stdtrit(freedom, 0.975)) ** 2 * sigma2 + n * noise**2

    def _with_known_digits(self) -> Expression:
        """Round what is left to the digits the data know, the least known constant first, so that the others can make up for it."""
        held: list[int] = []
        for _ in free_constants(self.expression):
            values, errors, _ = uncertainty(self.expression, self.sample, held)
            shares = [error / abs(value) if value else 0.0 for value, error in zip(values, errors, strict=True)]
            number = max(set(range(len(shares))) - set(held), key=shares.__getitem__)
            held.append(number)
            short = _known_digits(values[number], errors[number])
            if short is not None:
                self._round(number, values[number], short, held)
        return self.expression

    def _round(self, number: int, value: float, short: float, held: Sequence[int]) -> None:
        constants = list(free_constants(self.expression))
        constants[number] = short
        before = self.sample.rmse(self.expression)
        try:
            trial = fitted(with_constants(self.expression, constants), self.sample, held)
        except TrainingError:  # an edge of a domain that would cross a row: it keeps its digits
            return
        self.tried.append(Replacement(self.name, number, value, Number(short), self.sample.rmse(trial) - before, True))
        self.expression = trial


def description_bits(expression: Expression) -> float:
    """Return how many bits it takes to write an exact constant down: log2(1 + |p|) + log2(q) for p/q, more for pi, e and roots.

    >>> from workbench.expression import parse
    >>> description_bits(parse("3/4"))
    4.0
    """
    bits = 0.0
    for node in walk(expression):
        match node:
            case Number(value=value):
                ratio = Fraction(value)
                bits += math.log2(1 + abs(ratio.numerator)) + math.log2(ratio.denominator)
            case Constant():
                bits += _CONSTANT_BITS
            case Call(function=name) if name != "mul":
                bits += _FUNCTION_BITS
    return bits


def _proposal(value: float, half_width: float, tolerance: float) -> Expression | None:
    """Return the simplest exact constant the data allow for a value, None if no simple one is near."""
    if not math.isfinite(half_width):  # the data say nothing about it: any value will do, once the others follow
        return Number(1 if value > 0 else -1)
    reach = max(half_width, tolerance * abs(value))
    if abs(value) <= half_width:
        return Number(0)
    exact = nearest_exact(value, reach)
    if exact is None or description_bits(exact) + _MARGIN_BITS > math.log2(abs(value) / reach):
        return None
    return exact


def _plain_values(value: float) -> list[Expression]:
    """Return what a person may want in place of a value: an integer, a fraction or multiple of pi, e or a root, two to four digits."""
    found: list[Expression] = [Number(round(value))]
    for share in (0.1, 0.03, 0.01, 0.003, 0.001, 1e-4):
        exact = nearest_exact(value, share * abs(value))
        found += [exact] if exact is not None else []
    found += [Number(float(f"{value:.{digits}g}")) for digits in (2, 3, 4)]
    return list(dict.fromkeys(found))


def _tried(expression: Expression, number: int, exact: Expression, sample: Sample) -> Expression | None:
    """Put an exact value in place of a constant, fit the others; None where that leaves no formula of the same inputs."""
    constants: list[float | Expression] = list(free_constants(expression))
    constants[number] = exact
    trial = with_constants(expression, constants)
    held: Sequence[int] = [number] if _is_float(exact) else []
    if not held:
        folded = fold(trial)
        trial = folded if complexity(folded) <= complexity(trial) and _keeps_exact(trial, folded) else trial
    if symbols(trial) != symbols(expression):
        return None
    try:
        return fitted(trial, sample, held)
    except TrainingError:
        return None


def _keeps_exact(trial: Expression, folded: Expression) -> bool:
    """Whether folding left exact constants exact, instead of merging them into floats; exponents may merge, as in 1/y*1/y."""

    def is_exact(node: Expression) -> bool:
        return isinstance(node, Constant) or (isinstance(node, Number) and node.exact)

    def exact(expression: Expression) -> int:
        nodes = list(walk(expression))
        exponents = (node.arguments[1] for node in nodes if isinstance(node, Call) and node.function == "pow")
        return sum(map(is_exact, nodes)) - sum(map(is_exact, exponents))

    return exact(folded) >= exact(trial)


def _known_digits(value: float, error: float) -> float | None:
    """Round to a tenth of the standard error; None where nothing would be gained."""
    if value == 0.0 or not math.isfinite(error) or error <= 0.0:
        return None
    short = round(value, -math.floor(math.log10(0.2 * error)))
    return short if short != 0.0 and short != value else None


def _locate(formula: Formula, index: int) -> tuple[int, int]:
    """Return (number of the output, number of the constant in it)."""
    left = index
    for place, output in enumerate(formula.outputs):
        count = len(free_constants(output.expression))
        if 0 <= left < count:
            return place, left
        left -= count
    raise TrainingError(f"The formula has {len(formula.constants)} constants, numbered from 0; got number {index}.")


def _rounded_groups(formula: Formula, decimals: int) -> dict[str, tuple]:
    return {
        label: tuple(
            replace(o, expression=with_constants(o.expression, [plain_decimal(v, decimals) for v in free_constants(o.expression)]))
            for o in outputs
        )
        for label, outputs in formula.groups.items()
    }


def _is_float(expression: Expression) -> bool:
    return isinstance(expression, Number) and not expression.exact


def _value(exact: Expression) -> float:
    return float(evaluate(exact, {}))
