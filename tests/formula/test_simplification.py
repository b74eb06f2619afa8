"""Simplification: shorter, of the same values, and nothing that is only true on half of the line."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose

from workbench.expression import complexity, evaluate, parse, to_text
from workbench.formula import simplify
from workbench.formula.simplification import simplifications


@pytest.mark.parametrize(("long", "short"), [
    ("x*y + x*z", "x*(y + z)"),
    ("(x**2 - y**2)/(x - y)", "x + y"),
    ("x**2 + 2*x + 1", "(x + 1)**2"),
])  # fmt: skip
def test_light_effort_rearranges(long, short):
    found = simplify(parse(long))
    assert complexity(found) == complexity(parse(short))
    points = {name: np.random.default_rng(1).normal(size=31) for name in "xyz"}
    assert_allclose(evaluate(found, points), evaluate(parse(long), points), rtol=1e-6)  # x - y cancels


def test_thorough_effort_knows_identities():
    assert to_text(simplify(parse("sin(x)**2 + cos(x)**2 + x"), "thorough")) == "x + 1"


def test_what_is_true_for_positive_inputs_only_needs_a_positive_range():
    root = parse("sqrt(x**2)*2 + sqrt(x)**2")
    assert simplify(root, ranges={"x": (1.0, 5.0)}) == parse("3*x")
    kept = simplify(root, ranges={"x": (-5.0, 5.0)})
    assert_allclose(evaluate(kept, {"x": np.array([-2.0, 4.0])}), [np.nan, 12.0])


def test_edges_that_are_splines_stay_in_place(mixed):
    from workbench.formula import assemble

    formula = assemble(mixed)
    output = formula.outputs[0]
    found = simplify(output.expression, definitions=formula.definitions)
    rows = np.random.default_rng(5).uniform(-1, 1, (17, 3))
    values = {column.symbol: rows[:, i] for i, column in enumerate(formula.inputs)}
    assert complexity(found) <= complexity(output.expression)
    assert_allclose(evaluate(found, values, formula.definitions), evaluate(output.expression, values, formula.definitions), rtol=1e-9)


def test_each_answer_is_shorter_than_the_one_before():
    start = parse("x**2/(x*(x + y)) + x*y/(x*(x + y))")
    lengths = [complexity(start), *map(complexity, simplifications(start))]
    assert all(later < earlier for earlier, later in itertools.pairwise(lengths))
    assert lengths[-1] == 1


def test_nothing_shorter_gives_the_expression_itself():
    expression = parse("exp(sin(x) + y**2)")
    assert simplify(expression) == expression
