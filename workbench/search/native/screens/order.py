"""The screens of one state in the order of their cost: what is tried wherever a reduction leads, and what is tried later."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from workbench.expression import Number, call
from workbench.search.native.screens.bank import bank
from workbench.search.native.screens.composed import function_columns, with_function
from workbench.search.native.screens.exponents import with_exponents
from workbench.search.native.screens.inner_sums import inner_sums
from workbench.search.native.screens.offsets import offset_power_law
from workbench.search.native.screens.one_variable import OTHERS, a_new_curve, one_variable
from workbench.search.native.screens.polynomials import polynomial
from workbench.search.native.screens.power_law import power_law
from workbench.search.native.screens.products import product
from workbench.search.native.screens.ratios import SHAPES, ratio
from workbench.search.native.screens.spans import spans
from workbench.search.native.screens.sums import sums
from workbench.search.native.state import Candidate, State
from workbench.search.native.surrogate import smooth_error
from workbench.search.native.transforms import OF_SHARES, PLAIN
from workbench.search.native.watch import Watch

_NEARLY_EXACT = 5e-3
_BANK_COLUMNS, _SMALL_BANK_COLUMNS = 3, 2  # for the problem itself, and for what reductions leave


def quick(state: State, watch: Watch) -> Iterator[Candidate]:
    """Yield what costs least: power laws, products, low polynomials and ratios; forms where one column is left."""
    if state.n_columns == 0:
        yield state.candidate(Number(float(np.median(state.target))), "a constant is left")
        return
    for screen in (_low, offset_power_law, with_exponents, inner_sums, _curve, _low_ratios, _spanned):
        yield from _attempted(screen(state, watch))
        if watch.over:
            return


def thorough(state: State, watch: Watch) -> Iterator[Candidate]:
    """Yield the rest: high degrees, roots, and function columns."""
    if not state.n_columns:
        return
    for screen in (*(() if state.is_root else (high,)), _beside, _rooted, _with_functions, _composed):
        yield from _attempted(screen(state, watch))
        if watch.over:
            return


def _attempted(screen: Iterator[Candidate]) -> Iterator[Candidate]:
    """Yield what a screen yields; a matrix that has no decomposition ends this screen, not the search."""
    try:
        yield from screen
    except np.linalg.LinAlgError:
        return


def _low(state: State, watch: Watch) -> Iterator[Candidate]:
    yield from power_law(state)
    yield from product(state, watch)
    yield from polynomial(state, watch, (*PLAIN, "log(y)", *OF_SHARES), degrees=(1, 2, 3))


def _curve(state: State, watch: Watch) -> Iterator[Candidate]:
    if state.n_columns == 1:
        yield from one_variable(state, watch)


def _low_ratios(state: State, watch: Watch) -> Iterator[Candidate]:
    yield from ratio(state, watch, ("y", "y^2"), SHAPES[:2])


def _spanned(state: State, watch: Watch) -> Iterator[Candidate]:
    """Yield exact laws with one function, where there are few columns."""
    if state.n_columns == 1 and a_new_curve(state, watch, ("spans",)):
        yield from spans(state, watch)
    elif 1 < state.n_columns <= _SMALL_BANK_COLUMNS:
        yield from spans(state, watch, pairs=False)


def may_be_exact(state: State, watch: Watch) -> bool:
    """Whether a smooth surrogate is so near that noise, if any, is small: otherwise exact screens wait until the others were tried."""
    return smooth_error(state) < _NEARLY_EXACT * watch.judge.size


def _spanned_by_more(state: State, watch: Watch) -> Iterator[Candidate]:
    if state.n_columns != 1:
        yield from spans(state, watch)


def high(state: State, watch: Watch) -> Iterator[Candidate]:
    """Yield polynomials and ratios of high degree."""
    yield from polynomial(state, watch, (*PLAIN, "log(y)"), degrees=range(4, 10 if state.n_columns == 1 else 7))
    if state.n_columns <= 2 and not watch.over:
        yield from polynomial(state, watch, ("exp(y)",))
    yield from ratio(state, watch, ("y", "y^2"), SHAPES[2:])


def _composed(state: State, watch: Watch) -> Iterator[Candidate]:
    if state.n_columns == 1 or (state.is_root and state.n_columns <= _BANK_COLUMNS):
        yield from bank(state, watch)
    elif state.n_columns <= _SMALL_BANK_COLUMNS:
        yield from bank(state, watch, ("y", "log(y)"), 700)


def _beside(state: State, watch: Watch) -> Iterator[Candidate]:
    """Yield forms of one variable with a power beside them."""
    if state.n_columns == 1:
        yield from one_variable(state, watch, OTHERS)


def _rooted(state: State, watch: Watch) -> Iterator[Candidate]:
    """Yield polynomials in the square roots of the columns, and sums with exponents of both signs."""
    if state.n_columns <= 3 and state.positive.all():
        yield from polynomial(with_roots(state), watch, ("y", "1/y", "y^2"), most=60)
    if state.n_columns <= 2 and not watch.over:
        yield from sums(state, watch, PLAIN, 3, most=200, halves=True)


def _with_functions(state: State, watch: Watch) -> Iterator[Candidate]:
    """Yield polynomials and ratios with one function column."""
    if state.n_columns > 4:
        return
    for composed in function_columns(state):
        own = with_function(state, composed)
        yield from polynomial(own, watch, ("y", "1/y", "y^2"), most=60, degrees=(1, 2, 3))
        yield from ratio(own, watch, ("y", "y^2"), (("total", 1), ("total", 2), ("box", 2)))
        rest = state.without(composed.parts)
        if rest.n_columns and rest.positive.all() and not watch.over:
            rooted = with_roots(rest).with_column(composed.values, composed.name)
            yield from polynomial(rooted, watch, ("y", "y^2"), most=60, degrees=(2, 3))
        if watch.over:
            return


def with_roots(state: State) -> State:
    """Return the state with the square roots of its columns."""
    return replace(state, columns=np.sqrt(state.columns), names=tuple(call("sqrt", name) for name in state.names))
