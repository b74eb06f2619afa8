"""What PySR is told, built from our own tables: numbers, names of operators, and text printed from trees.

The same seed gives the same result: one thread and PySR's deterministic mode, at the price of speed. Functions of periodic and exponential kind are not nested in
one another, and exponents stay plain, as PySR's own guide advises (its "tuning" page).
"""

from __future__ import annotations

from collections.abc import Sequence

from workbench.exceptions import ExpressionError
from workbench.expression import Expression
from workbench.search.problem import SearchProblem
from workbench.search.pysr.spelling import BINARY, UNARY, julia_text
from workbench.search.pysr.template import Template

PLAIN_FUNCTIONS = ("exp", "log", "sqrt", "sin", "cos", "tanh")  # where nobody says which may be used
LARGEST_SIZE = 30
ENDLESS = 1_000_000  # iterations: the time ends a search
_NOT_NESTED = ("exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh")


def regressor_settings(problem: SearchProblem, seed: int, seconds: float | None, guesses: Sequence[Expression], template: Template | None) -> dict:
    """Return everything as JSON: the arguments of PySRRegressor, the names of the columns for its fit, and the template's parts.

    Guesses that hold a function which this search has not are left out.
    """
    unary = [name for name in UNARY if name in (PLAIN_FUNCTIONS if problem.functions is None else problem.functions)]
    names = column_names(problem.symbols)
    nested = [name for name in unary if name in _NOT_NESTED]
    regressor = {
        "binary_operators": list(BINARY),
        "unary_operators": unary,
        "constraints": {"^": [-1, 1]},
        "nested_constraints": {outer: dict.fromkeys(nested, 0) for outer in nested} or None,
        "maxsize": max(7, problem.max_complexity or LARGEST_SIZE),
        "niterations": ENDLESS,
        "timeout_in_seconds": seconds,
        "precision": 64,
        "random_state": seed,
        "deterministic": True,
        "parallelism": "serial",
        "batching": len(problem.y) > 5000,
        "progress": False,
        "verbosity": 0,
        "input_stream": "devnull",
        "temp_equation_file": False,
        "guesses": (_guesses(guesses, names, unary) or None) if template is None else None,
    }
    return {"regressor": regressor, "names": list(names.values()), "template": None if template is None else _template(template, names)}


def column_names(symbols: Sequence[str]) -> dict[str, str]:
    """Return the names under which columns travel: x1, x2, ..."""
    return {symbol: f"x{number}" for number, symbol in enumerate(symbols, 1)}


def _guesses(guesses: Sequence[Expression], names: dict[str, str], functions: Sequence[str]) -> list[str]:
    written = []
    for guess in guesses:
        try:
            written.append(julia_text(guess, names, functions))
        except ExpressionError:
            continue
    return written


def _template(template: Template, names: dict[str, str]) -> dict:
    """Return the parts of PySR's TemplateExpressionSpec; its pieces are called f1, f2, ... there."""
    pieces = {piece: f"f{number}" for number, piece in enumerate(template.pieces, 1)}
    calls = {piece: f"{pieces[piece]}({', '.join(names[symbol] for symbol in arguments)})" for piece, arguments in template.pieces.items()}
    return {"combine": julia_text(template.combine, calls), "expressions": list(pieces.values()), "variable_names": list(names.values())}
