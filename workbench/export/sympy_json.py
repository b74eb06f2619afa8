"""SymPy source text, and the formula as JSON.

The SymPy text builds every output from real symbols and exact numbers; floats keep their 53 bits, fractions are Rational. A spline is a
SymPy function that stays as it is in algebra and is evaluated, piece by piece, where its argument is a number; a rational function is written
out.
The JSON holds each output as text, which `workbench.expression.parse` reads back to the same tree, and as the tree itself for programs
without a parser: {"call": "mul", "arguments": [{"number": 2.5}, {"symbol": "x"}]}.
"""

from __future__ import annotations

import json
import keyword
import math
from fractions import Fraction
from typing import Any

from workbench.bases.basis import EdgeDefinition
from workbench.bases.bspline import SplineDefinition
from workbench.bases.rational import RationalDefinition
from workbench.export.source import Language, check, header, rationals, splines, variants
from workbench.expression import FUNCTIONS, Call, Constant, Expression, Number, Symbol, complexity, to_text
from workbench.formula import Formula, Output

SYMPY = Language(
    title="SymPy",
    comment="#",
    functions={**{name: f"sp.{name}" for name in FUNCTIONS}, "abs": "sp.Abs", **{name: name for name in ("cbrt", "expm1", "log1p")}},
    constants={"pi": "sp.pi", "e": "sp.E"},
    reserved=frozenset({*keyword.kwlist, "sp", "cbrt", "expm1", "log1p", "edge", "outputs"}),
    whole_power="**",
    rational=lambda value: f"sp.Rational({value.numerator}, {value.denominator})",
)

_DENOMINATORS = {
    "square": "1 + (b1*u + b2*u^2 + ...)^2",
    "abs_sum": "1 + abs(b1*u + b2*u^2 + ...)",
    "sum_abs": "1 + abs(b1)*abs(u) + abs(b2)*abs(u)^2 + ...",
}

_HELPERS = '''
def cbrt(u):
    return sp.sign(u)*sp.Abs(u)**sp.Rational(1, 3)


def expm1(u):
    return sp.exp(u) - 1


def log1p(u):
    return sp.log(1 + u)


def edge(x, low, high, base, knots, pieces):
    """Evaluate a spline edge: base*u/(1 + exp(-u)), with [low, high] mapped to u in [-1, 1], plus a cubic between two knots."""
    u = (2*x - low - high)/(high - low)
    value = base*u/(1 + sp.exp(-u))
    for start, stop, (c0, c1, c2, c3) in zip(knots, knots[1:], pieces):
        if start <= x < stop:
            t = x - start
            value += ((c3*t + c2)*t + c1)*t + c0
    return value
'''


def write_sympy(formula: Formula) -> str:
    """Return a Python module that builds every output as a SymPy expression; `outputs` maps column names to them."""
    check(formula)
    names = SYMPY.names(formula)
    parts = ["\n".join(SYMPY.comments(header(formula, SYMPY.title))), "\nimport sympy as sp\n", _HELPERS]
    parts += [_spline(names[definition.name], definition) for definition in splines(formula)]
    parts += [_rational(names[definition.name], definition) for definition in rationals(formula)]
    parts.append("".join(f"\n{names[c.symbol]} = sp.Symbol({_quoted(names[c.symbol])}, real=True)" for c in formula.inputs) + "\n")
    for variant in variants(formula):
        about = f"\n# group: {variant.label}" if variant.label is not None else ""
        for output in variant.outputs:
            parts.append(f"{about}\n{names[output.symbol]}{variant.suffix} = {SYMPY.write(output.expression, names)}")
    entries = ", ".join(f"{_quoted(output.name)}: {names[output.symbol]}" for output in formula.outputs)
    return "\n".join([*parts, f"\noutputs = {{{entries}}}\n"])


def write_json(formula: Formula) -> str:
    """Return the formula as JSON: inputs, outputs as text and tree, functions without a name, certificate, notes."""
    check(formula)
    certificate = getattr(formula, "certificate", None)
    content = {
        "format": "kan-workbench formula",
        "version": 1,
        "inputs": [
            {"name": c.name, "symbol": c.symbol, "unit": c.unit, "low": _finite(c.low), "high": _finite(c.high)} for c in formula.inputs
        ],
        "outputs": [_output(output) for output in formula.outputs],
        "groups": {str(label): [_output(output) for output in outputs] for label, outputs in formula.groups.items()},
        "definitions": [definition_to_json(definition) for definition in formula.definitions.values()],
        "certificate": certificate.to_json() if certificate is not None else None,
        "certificate_text": getattr(formula, "certificate_text", ""),
        "notes": list(formula.notes),
    }
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def tree_to_json(node: Expression) -> dict[str, Any]:
    """Return an expression as JSON.

    >>> from workbench.expression import parse
    >>> tree_to_json(parse("2.5*x"))
    {'call': 'mul', 'arguments': [{'number': 2.5}, {'symbol': 'x'}]}
    """
    match node:
        case Number(value=Fraction() as value):
            return {"fraction": [value.numerator, value.denominator]}
        case Number(value=value):
            return {"number": value} if isinstance(value, float) else {"integer": value}
        case Constant(name=name):
            return {"constant": name}
        case Symbol(name=name):
            return {"symbol": name}
        case Call(function=name, arguments=arguments):
            return {"call": name, "arguments": [tree_to_json(argument) for argument in arguments]}
    raise TypeError(f"tree_to_json: {node!r} is no expression.")


def _output(output: Output) -> dict[str, Any]:
    return {
        "name": output.name,
        "symbol": output.symbol,
        "unit": output.unit,
        "text": to_text(output.expression),
        "complexity": complexity(output.expression),
        "tree": tree_to_json(output.expression),
    }


def definition_to_json(definition: EdgeDefinition) -> dict[str, Any]:
    """Return the exact function of an edge that has no name yet as JSON, with what its numbers mean."""
    if isinstance(definition, RationalDefinition):
        return {
            "name": definition.name,
            "numerator": list(definition.numerator),
            "denominator": list(definition.denominator),
            "form": definition.form,
            "domain": list(definition.domain),
            "meaning": f"(a0 + a1*u + a2*u^2 + ...)/({_DENOMINATORS[definition.form]}) with a0, a1, ... = numerator, b1, b2, ... = denominator, "
            "u = (2*x - lo - hi)/(hi - lo), (lo, hi) = domain",
        }
    return {
        "name": definition.name,
        "knots": definition.knots.tolist(),
        "polynomials": definition.polynomials.tolist(),
        "base": float(definition.base),
        "domain": [float(bound) for bound in definition.domain],
        "meaning": "base*u/(1 + exp(-u)) + c0 + c1*t + c2*t^2 + c3*t^3 for knots[j] <= x < knots[j+1], "
        "with t = x - knots[j], u = (2*x - lo - hi)/(hi - lo), (lo, hi) = domain; the cubic is 0 outside the knots",
    }


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _quoted(text: str) -> str:
    return json.dumps(text)


def _spline(name: str, definition: SplineDefinition) -> str:
    low, high = (float(bound) for bound in definition.domain)
    return (
        f"\nclass {name}(sp.Function):\n    knots = {definition.knots.tolist()!r}\n    pieces = {definition.polynomials.tolist()!r}\n\n"
        "    @classmethod\n    def eval(cls, x):\n        if x.is_comparable:\n"
        f"            return edge(x, {low!r}, {high!r}, {float(definition.base)!r}, cls.knots, cls.pieces)\n"
    )


def _rational(name: str, definition: RationalDefinition) -> str:
    u, value = SYMPY.write(definition.inner, {"x": "x"}), SYMPY.write(definition.outer, {"u": "u"})
    return f"\ndef {name}(x):\n    u = {u}\n    return {value}\n"
