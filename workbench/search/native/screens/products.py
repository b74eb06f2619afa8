"""Products of functions of one column each: log|T(h)| is linear in log|u|, log|cos u|, log|1 + u|, u ..."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from workbench.expression import Call, Expression, Number, call, mul, power
from workbench.search.native.monomials import exact_exponent
from workbench.search.native.screens.composed import Composed, factors, logarithms
from workbench.search.native.screens.elimination import exact_fit
from workbench.search.native.screens.subsets import best_subsets
from workbench.search.native.state import Candidate, State
from workbench.search.native.transforms import Target, targets
from workbench.search.native.watch import Watch

_TRANSFORMS = ("y", "sin(y)", "tan(y)", "cos(y)", "log(y)", "log(1-y)", "logit(y)")
_POWERS = ("log(y)", "log(1-y)")  # u^v and (1 + u)^v are products under it, of logarithms too
_LONGEST_LOG = 30.0
_LARGEST_EXPONENT = 8.0
_EXACT = 1e-9  # of the size of what is fitted

Exponents = tuple[list[int], np.ndarray, np.ndarray]  # columns, exponents, their standard errors


def product(state: State, watch: Watch, largest: int = 4) -> Iterator[Candidate]:
    """Yield c * f_1^p_1 ... f_k^p_k for T(h)."""
    plain, more = _usable(factors(state)), _usable(logarithms(state))
    for target in targets(state, _TRANSFORMS):
        made = [*plain, *more] if target.name in _POWERS else plain
        if watch.over or not made:
            return
        logs = np.column_stack([column for _, column in made])
        values, weights = _logarithms(target)
        if not np.isfinite(values * weights).all():
            continue
        for columns, exponents, errors in _exponents(logs * weights[:, None], values * weights, weights / np.linalg.norm(weights), largest):
            if np.abs(exponents).max() <= _LARGEST_EXPONENT:
                yield from _candidates(state, target, [made[i][0] for i in columns], exponents, errors)


def _exponents(weighted: np.ndarray, goal: np.ndarray, ones: np.ndarray, largest: int) -> Iterator[Exponents]:
    """Yield sets of factors with their fitted exponents and the errors of those."""
    exact = exact_fit(np.column_stack([ones, weighted]), goal)
    if exact is not None:
        places = [int(t) - 1 for t, c in zip(exact.terms, exact.coefficients) if t and abs(c) > 1e-3]
        if places:
            yield _fewest(weighted, goal, ones, places)
    centred = weighted - np.outer(ones, ones @ weighted)
    goal = goal - ones * (ones @ goal)
    for subset in best_subsets(centred, goal, largest, keep=2):
        chosen = list(subset.columns)
        columns = centred[:, chosen]
        c, *_ = np.linalg.lstsq(columns, goal, rcond=None)
        residual = goal - columns @ c
        variance = np.diag(np.linalg.pinv(columns.T @ columns)) * float(residual @ residual) / max(len(goal) - len(c) - 1, 1)
        yield chosen, c, np.sqrt(np.maximum(variance, 0.0))


def _fewest(weighted: np.ndarray, goal: np.ndarray, ones: np.ndarray, places: list[int]) -> Exponents:
    """Return the fewest of some factors that fit exactly: log|1 + u| + log|1 - u| is log|1 - u^2|, and one of three is enough."""
    limit = _EXACT * float(np.linalg.norm(goal))
    for size in range(1, len(places) + 1):
        for chosen in itertools.combinations(places, size):
            columns = np.column_stack([ones, weighted[:, chosen]])
            exponents = np.linalg.lstsq(columns, goal, rcond=None)[0]
            if np.linalg.norm(goal - columns @ exponents) <= limit:
                return list(chosen), exponents[1:], np.zeros(size)
    return places, exponents[1:], np.zeros(len(places))


def _candidates(
    state: State, target: Target, chosen: Sequence[Composed], exponents: np.ndarray, errors: np.ndarray
) -> Iterator[Candidate]:
    """Yield the product with exponents rounded to halves, and with free ones where they are not near."""
    rounded = np.round(2 * exponents) / 2
    exponential = np.array([_is_exponential(c.name) for c in chosen])
    near = np.abs(exponents - rounded) < np.clip(2.5 * errors, 0.12, 0.5)
    if (near | exponential).all() and (rounded != 0).all():
        yield _candidate(state, target, chosen, np.where(exponential, exponents, rounded), exponential)
    positive = np.array([bool((c.values > 0).all()) for c in chosen])
    free = exponential | (positive & (np.abs(exponents - rounded) > 1e-6))
    if free.any() and not (free == exponential).all() and (positive | near).all():
        yield _candidate(state, target, chosen, np.where(free, exponents, rounded), free)


def _candidate(state: State, target: Target, chosen: Sequence[Composed], exponents: np.ndarray, free: np.ndarray) -> Candidate:
    values = np.ones(state.n_rows)
    with np.errstate(all="ignore"):
        for composed, exponent in zip(chosen, exponents):
            values = values * (composed.values**exponent if exponent % 1 == 0 else np.abs(composed.values) ** exponent)
    values = np.where(np.isfinite(values), values, 0.0) * target.weights
    scale = float(values @ (target.values * target.weights)) / max(float(values @ values), 1e-300)
    inner = mul(Number(scale), *(_factor(c.name, e, f) for c, e, f in zip(chosen, exponents, free)))
    return state.candidate(target.back(inner), f"{target.name} is a product of {len(chosen)} factors")


def _factor(name: Expression, exponent: float, free: bool) -> Expression:
    if not free:
        return power(name, exact_exponent(exponent))
    if isinstance(name, Call) and name.function == "exp":
        return call("exp", mul(Number(float(exponent)), name.arguments[0]))
    return power(name, Number(float(exponent)))


def _is_exponential(name: Expression) -> bool:
    return isinstance(name, Call) and name.function == "exp"


def _logarithms(target: Target) -> tuple[np.ndarray, np.ndarray]:
    """Return log|T(h)|, linear about what is known of it without noise, and the weight of each row."""
    size = np.where(target.about == 0.0, 1.0, target.about)  # those rows have no weight
    return _log(target.about) + (target.values - target.about) / size, np.abs(target.about) * target.weights


def _log(values: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        return np.log(np.abs(values) + 1e-300)


def _usable(made: Iterable[Composed]) -> list[tuple[Composed, np.ndarray]]:
    """Return the factors whose logarithm is moderate, with it."""
    with_logs = [(composed, _log(composed.values)) for composed in made]
    return [(c, logs) for c, logs in with_logs if np.isfinite(logs).all() and np.abs(logs).max() < _LONGEST_LOG and logs.std() > 1e-9]
