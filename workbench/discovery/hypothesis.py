"""A formula that somebody, or an engine, supposes: read, its open constants fitted, and compiled into networks.

    "a*Girth^b*Height"        columns by their name or symbol; every other name is a constant to fit, and so is every number with a point

Open constants are fitted from many starts (formula/opening.py).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from workbench.dataset import Dataset
from workbench.exceptions import DiscoveryError, NetworkError, TrainingError
from workbench.expression import Expression, Symbol, call, fold, free_constants, parse, substitute, symbols, with_constants
from workbench.formula.fitting import Sample
from workbench.formula.opening import with_open_constants
from workbench.networks import KAN
from workbench.networks.compile import compile_expression
from workbench.training import Problem

ROUGHNESS = 1e-6  # of the splines that its edges become when they are released

_MOST_OPEN = 12


def read(text: str, data: Dataset) -> tuple[Expression, tuple[str, ...]]:
    """Return a typed formula in the symbols of the dataset, and the names of the constants that are open.

    >>> from workbench.dataset import load_sample
    >>> read("k*a_au^p", load_sample("planets"))[1]
    ('k', 'p')
    """
    target = data.targets[0]
    left, equals, right = text.partition("=")
    if equals and left.strip() not in (target.name, target.symbol):
        raise DiscoveryError(f"suppose({text!r}): left of the = stands {left.strip()!r}; the target is {target.name!r}. Write the right-hand side alone.")
    expression = parse(right if equals else text)
    columns = {column.name: Symbol(column.symbol) for column in data.features if column.name.isidentifier()}
    columns |= {column.symbol: Symbol(column.symbol) for column in data.features}
    names = symbols(expression)
    if target.symbol in names or target.name in names:
        raise DiscoveryError(f"suppose({text!r}): the formula holds the target {target.name!r} itself. Use the inputs: {', '.join(sorted(columns))}.")
    open_names = tuple(sorted(names - set(columns)))
    _refuse_slips(open_names, sorted(columns))
    if not names & set(columns):
        raise DiscoveryError(f"suppose({text!r}): the formula holds no column. Write at least one of {', '.join(sorted(columns))}.")
    return _open(substitute(expression, columns)), open_names


def _open(expression: Expression) -> Expression:
    """Return the formula with no float that folding would take for a plain 1 or 0: who writes 1.0 wants it to be fitted."""
    plain = {1.0: math.nextafter(1.0, 2.0), 0.0: 1e-12}
    return with_constants(expression, [plain.get(value, value) for value in free_constants(expression)])


def _refuse_slips(names: Sequence[str], columns: Sequence[str]) -> None:
    """Refuse a name that is a column's but for capitals, which would silently become a constant, and more constants than can be started."""
    of = {column.casefold(): column for column in columns}
    for name in names:
        if name.casefold() in of:
            raise DiscoveryError(f"suppose(...): there is no column {name!r}. Did you mean {of[name.casefold()]!r}?")
    if len(names) > _MOST_OPEN:
        raise DiscoveryError(f"suppose(...): {', '.join(names)} are no columns, and {len(names)} open constants are too many; at most {_MOST_OPEN}.")


def compiled(expression: Expression, open_names: Sequence[str], data: Dataset, problems: Sequence[Problem]) -> tuple[KAN, ...]:
    """Return one network per group of rows that computes a formula, its open constants fitted to the group's rows.

    Raises
    ------
    DiscoveryError : the dataset has several targets or classes, or the formula has no finite value on its rows
    """
    if len(data.targets) > 1 or problems[0].n_outputs > 1:
        raise DiscoveryError("suppose(...): a formula gives one target, and these data have several. Open the table again with one of them.")
    seen = _as_seen(expression, data)
    inputs = [column.symbol for column in data.features]
    networks = []
    for problem in problems:
        x = problem.x if problem.validation is None else np.hstack([problem.x, problem.validation.x])
        try:
            root = np.ones(problem.n_rows) if problem.weights is None else np.sqrt(problem.weights)
            sample = Sample(dict(zip(inputs, problem.x, strict=True)), problem.y[0], root, {})
            networks.append(compile_expression(with_open_constants(seen, open_names, sample), inputs, x.T))
        except TrainingError as error:
            raise DiscoveryError(f"suppose(...): {error}") from None
        except NetworkError as error:
            raise DiscoveryError(str(error).replace("compile:", "suppose(...):")) from None
    return tuple(networks)


def _as_seen(expression: Expression, data: Dataset) -> Expression:
    """Return the formula on the scale that the network sees: of u = log(column), and log of the whole for a target seen as its logarithm."""
    logs = {c.symbol: call("exp", Symbol(c.symbol)) for c in data.features if c.name in data.transforms}
    inside = substitute(expression, logs)
    return fold(call("log", fold(inside))) if data.targets[0].name in data.transforms else inside
