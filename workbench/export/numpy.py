"""Python source with NumPy: one function of whole columns for every output, NaN where the formula has no value."""

from __future__ import annotations

import keyword

from workbench.bases.bspline import SplineDefinition
from workbench.bases.rational import RationalDefinition
from workbench.export.source import Language, called, check, header, rationals, splines, variants
from workbench.expression import FUNCTIONS
from workbench.formula import Formula

_RENAMED = {name: f"arc{name[1:]}" for name in ("asin", "acos", "atan", "asinh", "acosh", "atanh")}

NUMPY = Language(
    title="NumPy",
    comment="#",
    functions={**{name: f"np.{_RENAMED.get(name, name)}" for name in FUNCTIONS}, "erf": "erf"},
    constants={"pi": "np.pi", "e": "np.e"},
    reserved=frozenset({*keyword.kwlist, "abs", "edge", "erf", "float", "len", "math", "np", "predict"}),
)

_ERF = '''
def erf(u):
    import math

    return np.vectorize(math.erf, otypes=[float])(u)
'''

_EDGE = '''
def edge(x, low, high, base, knots, pieces):
    """Evaluate a spline edge: base*u/(1 + exp(-u)), with [low, high] mapped to u in [-1, 1], plus a cubic between two knots."""
    u = (2.0*x - low - high)/(high - low)
    j = np.searchsorted(knots, x, side="right") - 1
    inside = (j >= 0) & (j < len(pieces))
    j = np.where(inside, j, 0)
    t = x - knots[j]
    c = pieces[j]
    cubic = ((c[..., 3]*t + c[..., 2])*t + c[..., 1])*t + c[..., 0]
    return base*u/(1.0 + np.exp(-u)) + np.where(inside, cubic, 0.0)
'''


def write(formula: Formula) -> str:
    """Return a Python module with NumPy: a function for every output, and `predict` for all of them."""
    check(formula)
    names = NUMPY.names(formula)
    parameters = [names[column.symbol] for column in formula.inputs]
    arguments = ", ".join(parameters)
    as_arrays = "".join(f"    {name} = np.asarray({name}, dtype=float)\n" for name in parameters)
    parts = ["\n".join(NUMPY.comments(header(formula, NUMPY.title))), "\nimport numpy as np\n"]
    parts += [_ERF] if "erf" in called(formula) else []
    parts += [_EDGE] if splines(formula) else []
    parts += [_spline(names[definition.name], definition) for definition in splines(formula)]
    parts += [_rational(names[definition.name], definition) for definition in rationals(formula)]
    for variant in variants(formula):
        about = f"    # group: {variant.label}\n" if variant.label is not None else ""
        for output in variant.outputs:
            body = NUMPY.write(output.expression, names)
            parts.append(
                f"\ndef {names[output.symbol]}{variant.suffix}({arguments}):\n{about}{as_arrays}"
                f"    with np.errstate(all=\"ignore\"):\n        return {body}\n"
            )
        calls = ", ".join(f"{names[output.symbol]}{variant.suffix}({arguments})" for output in variant.outputs)
        parts.append(f"\ndef predict{variant.suffix}({arguments}):\n    return {calls}\n")
    return "\n".join(parts)


def _spline(name: str, definition: SplineDefinition) -> str:
    knots = ", ".join(map(repr, definition.knots.tolist()))
    pieces = ",\n        ".join(f"[{', '.join(map(repr, piece))}]" for piece in definition.polynomials.tolist())
    low, high = (float(bound) for bound in definition.domain)
    return (
        f"\ndef {name}(x):\n    knots = np.array([{knots}])\n    pieces = np.array([\n        {pieces},\n    ])\n"
        f"    return edge(x, {low!r}, {high!r}, {float(definition.base)!r}, knots, pieces)\n"
    )


def _rational(name: str, definition: RationalDefinition) -> str:
    u, value = NUMPY.write(definition.inner, {"x": "x"}), NUMPY.write(definition.outer, {"u": "u"})
    return f"\ndef {name}(x):\n    u = {u}\n    return {value}\n"
