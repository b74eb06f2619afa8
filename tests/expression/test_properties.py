"""What holds for every expression: print and parse are inverse, folding keeps values, SymPy agrees, derivatives agree."""

from __future__ import annotations

import copy
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from workbench.expression import (
    FUNCTIONS,
    Call,
    Constant,
    Number,
    Symbol,
    add,
    call,
    complexity,
    differentiate,
    evaluate,
    fold,
    folding,
    free_constants,
    mul,
    parse,
    power,
    to_sympy,
    to_text,
    value_and_gradient,
    value_and_jacobian,
    walk,
    with_constants,
)
from workbench.expression.folding import _Folder, _folder

SETTINGS = settings(max_examples=150, deadline=None, derandomize=True)
ROWS = {"x": np.array([-2.3, -0.7, -0.11, 0.13, 0.9, 1.7, 3.1]), "y": np.array([0.3, 2.2, -1.4, 0.7, 1.9, 0.05, -0.6])}

any_number = st.one_of(
    st.integers(-12, 12),
    st.fractions(-4, 4, max_denominator=9),
    st.floats(-1e3, 1e3, allow_nan=False).filter(lambda v: v == 0 or abs(v) > 1e-3),
    st.sampled_from([0.0, 1.0, -1.0, 1e-17, 1e200, -1e200, 1e-200, 10**80]),
)
plain_number = st.one_of(st.integers(-4, 4), st.fractions(-3, 3, max_denominator=4), st.floats(0.25, 4), st.floats(-4, -0.25))


def trees(numbers, functions=tuple(FUNCTIONS)):
    leaves = st.one_of(
        numbers.map(Number), st.sampled_from([Symbol("x"), Symbol("y"), Symbol("x"), Constant("pi"), Constant("e")])
    )

    def grow(inner):
        return st.one_of(
            st.lists(inner, min_size=2, max_size=4).map(lambda items: add(*items)),
            st.lists(inner, min_size=2, max_size=4).map(lambda items: mul(*items)),
            st.tuples(inner, st.one_of(inner, numbers.map(Number))).map(lambda pair: power(*pair)),
            st.tuples(inner, inner).map(lambda pair: pair[0] / pair[1]),
            st.tuples(inner, inner).map(lambda pair: pair[0] - pair[1]),
            st.tuples(st.sampled_from(functions), inner).map(lambda pair: call(*pair)),
        )

    return st.recursive(leaves, grow, max_leaves=12)


@SETTINGS
@given(trees(any_number))
def test_parsing_what_was_printed_gives_the_same_tree(expression):
    assert parse(to_text(expression)) == expression


@SETTINGS
@given(trees(any_number))
def test_complexity_is_that_of_the_text_read_back_and_at_least_one(expression):
    assert complexity(parse(to_text(expression))) == complexity(expression) >= 1


def close(left, right, scale):
    """Equal to rounding, where both are defined and small against what cancelled on the way."""
    comparable = np.isfinite(left) & np.isfinite(right) & (scale < 1e6)
    return np.abs(left[comparable] - right[comparable]) <= 1e-9 * (1 + scale[comparable])


def largest_intermediate(node):
    """The largest value met while evaluating: it bounds what cancellation can cost."""
    values = np.abs(evaluate(node, ROWS))
    for argument in getattr(node, "arguments", ()):
        values = np.fmax(values, largest_intermediate(argument))
    return np.where(np.isfinite(values), values, np.inf)


smooth = tuple(name for name in FUNCTIONS if name not in ("sign", "tan", "acosh", "atanh", "asin", "acos"))


@SETTINGS
@given(trees(plain_number, smooth))
def test_folding_keeps_every_value_that_was_defined(expression):
    before, after = evaluate(expression, ROWS), evaluate(fold(expression), ROWS)
    scale = largest_intermediate(expression)
    assert close(before, after, scale).all()
    defined = np.isfinite(before) & (scale < 1e6)
    assert np.isfinite(after[defined]).all()


@SETTINGS
@given(trees(plain_number, smooth))
def test_folding_twice_changes_nothing_more(expression):
    once = fold(expression)
    assume(complexity(once) < 60)
    assert fold(once) == once


@SETTINGS
@given(trees(plain_number, ("exp", "log", "sqrt", "abs", "sin", "cos", "tanh", "erf", "atan", "cbrt", "log1p")))
def test_a_symbol_never_gains_a_domain_by_folding(expression):
    """Rows where the formula is NaN stay NaN, but for removable holes, which `evaluate` fills in both, and for terms that cancel."""
    undefined_parts = [node for node in walk(expression) if isinstance(node, Call) and np.isnan(evaluate(node, ROWS)).any()]
    assume(len(undefined_parts) == len(set(undefined_parts)))
    before, after = evaluate(expression, ROWS), evaluate(fold(expression), ROWS)
    scale = largest_intermediate(expression)
    undefined = np.isnan(before) & (scale < 1e6)
    assert not np.isfinite(after[undefined]).any()


@settings(SETTINGS, max_examples=60)
@given(trees(plain_number, ("exp", "log", "sqrt", "sin", "cosh", "asinh", "erf")))
def test_sympy_computes_the_same_values(expression):
    import sympy

    ours = evaluate(expression, ROWS)
    scale = largest_intermediate(expression)
    theirs = to_sympy(expression)
    for row in np.flatnonzero(np.isfinite(ours) & (scale < 1e6))[:2]:
        at = {sympy.Symbol(name, real=True): sympy.Float(float(column[row]), 40) for name, column in ROWS.items()}
        value = complex(sympy.N(theirs.subs(at), 30))
        assert value.real == pytest.approx(ours[row], abs=1e-9 * (1 + scale[row]))


@SETTINGS
@given(trees(plain_number, smooth))
def test_symbolic_derivative_and_tangents_agree(expression):
    value, gradient = value_and_gradient(expression, ROWS, ["x", "y"])
    scale = largest_intermediate(expression)
    for row, name in enumerate(("x", "y")):
        symbolic = differentiate(expression, name)
        bound = np.maximum(scale, largest_intermediate(symbolic))
        assert close(gradient[row], evaluate(symbolic, ROWS), bound).all()
    assert close(value, evaluate(expression, ROWS), scale).all()


@SETTINGS
@given(trees(plain_number, ("exp", "sin", "tanh", "atan", "erf")))
def test_jacobian_by_constants_is_the_gradient_by_symbols_in_their_place(expression):
    names = [f"k{i}" for i in range(len(free_constants(expression)))]
    constants = free_constants(expression)
    values = iter(names)

    def named(node):
        if isinstance(node, Number) and not node.exact:
            return Symbol(next(values))
        return Call(node.function, tuple(map(named, node.arguments))) if isinstance(node, Call) else node

    _, jacobian = value_and_jacobian(expression, ROWS)
    _, gradient = value_and_gradient(named(expression), {**ROWS, **dict(zip(names, constants))}, names)
    bound = np.maximum(largest_intermediate(expression), 1)
    assert jacobian.shape == (len(constants), 7)
    for own, other in zip(jacobian, gradient):
        assert close(own, other, np.maximum(bound, np.abs(own))).all()


@SETTINGS
@given(trees(any_number), st.lists(st.floats(-50, 50), min_size=12, max_size=12))
def test_constants_put_in_are_the_constants_read_out(expression, values):
    count = len(free_constants(expression))
    assume(count <= len(values))
    replaced = with_constants(expression, values[:count])
    assert free_constants(replaced) == tuple(value + 0.0 for value in values[:count])
    assert with_constants(replaced, free_constants(expression)) == expression


@given(st.integers(-9, 9), st.fractions(max_denominator=20), st.floats(-9, 9))
@settings(SETTINGS, max_examples=50)
def test_numbers_are_equal_only_if_exactness_agrees(whole, fraction, free):
    assert Number(whole) != Number(float(whole))
    assert Number(Fraction(whole)) == Number(whole)
    assert hash(Number(fraction)) == hash(Number(Fraction(fraction)))
    assert Number(free) == Number(np.float64(free))


@SETTINGS
@given(trees(any_number))
def test_what_is_built_again_is_equal_and_found_again(expression):
    again = call(expression.function, *expression.arguments) if isinstance(expression, Call) else expression
    for other in (copy.deepcopy(expression), again):
        assert other == expression
        assert {expression: "here"}[other] == "here"
    assert add(expression, Symbol("other")) not in {expression}


def test_what_goes_to_another_process_holds_no_hash_of_this_one():
    expression = parse("2.5*sin(x*y)**2 + exp(-x)/3")
    hash(expression)
    made, given_to_it = expression.__reduce__()
    assert made(*given_to_it) == expression
    assert copy.copy(expression)._hash is None


@SETTINGS
@given(trees(plain_number), st.sampled_from([(), ("x",), ("x", "y")]))
def test_a_part_that_was_folded_before_folds_to_the_same(expression, positive):
    fresh = _Folder(frozenset(positive))
    assert _folder(frozenset(positive)).fold(expression) == fresh.fold(expression)


def test_what_is_remembered_of_folding_is_bounded(monkeypatch):
    monkeypatch.setattr(folding, "_REMEMBERED", 13)
    folder = _Folder(frozenset())
    for i in range(97):
        assert folder.fold(parse(f"x*{i + 2}*{i + 2}*sin(y)")) == parse(f"{(i + 2) ** 2}*x*sin(y)")
        assert len(folder._done) <= 13
