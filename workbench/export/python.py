"""Python source with the `math` module alone: one function of plain numbers for every output.

math.exp and its kin raise an error where a float overflows; a formula wants infinity there, because 1/(1 + exp(800)) is 0. Small functions
of the same names see to that. Where a formula has no value at all, Python raises its own ValueError or ZeroDivisionError.
"""

from __future__ import annotations

import keyword

from workbench.bases.bspline import SplineDefinition
from workbench.bases.rational import RationalDefinition
from workbench.export.source import Language, called, check, fractional_powers, header, rationals, splines, variants
from workbench.expression import FUNCTIONS
from workbench.formula import Formula

_OVERFLOWING = ("exp", "expm1", "sinh", "cosh")
_RENAMED = {"abs": "abs", "sqrt": "math.sqrt", "cbrt": "cbrt", "sign": "sign", **{name: name for name in _OVERFLOWING}}
_HELPERS = (*_OVERFLOWING, "cbrt", "sign", "power")
_BUILT_IN = ("abs", "bisect", "float", "math", "predict", "tuple", "edge", "len", "OverflowError")

PYTHON = Language(
    title="Python (standard library only)",
    comment="#",
    functions={name: _RENAMED.get(name, f"math.{name}") for name in FUNCTIONS},
    constants={"pi": "math.pi", "e": "math.e"},
    reserved=frozenset({*keyword.kwlist, *_HELPERS, *_BUILT_IN}),
    power=lambda base, exponent: f"power({base}, {exponent})",
    power_is_call=True,
    whole_power="**",
)

_SAFE = '''
def {name}(u):
    try:
        return math.{name}(u)
    except OverflowError:
        return {limit}
'''

_DEFINITIONS = {
    **{name: _SAFE.format(name=name, limit="math.inf" if name != "sinh" else "math.copysign(math.inf, u)") for name in _OVERFLOWING},
    "cbrt": "\ndef cbrt(u):\n    return math.copysign(abs(u)**(1.0/3.0), u)\n",
    "sign": "\ndef sign(u):\n    return float((u > 0) - (u < 0))\n",
    "power": '''
def power(base, exponent):
    try:
        return math.pow(base, exponent)
    except OverflowError:
        return math.copysign(math.inf, base) if exponent % 2 == 1 else math.inf
''',
}

_EDGE = '''
def edge(x, low, high, base, knots, pieces):
    """Evaluate a spline edge: base*u/(1 + exp(-u)), with [low, high] mapped to u in [-1, 1], plus a cubic between two knots."""
    u = (2.0*x - low - high)/(high - low)
    value = base*u/(1.0 + exp(-u))
    j = bisect.bisect_right(knots, x) - 1
    if 0 <= j < len(pieces):
        c0, c1, c2, c3 = pieces[j]
        t = x - knots[j]
        value += ((c3*t + c2)*t + c1)*t + c0
    return value
'''


def write(formula: Formula) -> str:
    """Return a Python module: a function for every output, and `predict` for all of them."""
    check(formula)
    names = PYTHON.names(formula)
    arguments = ", ".join(names[column.symbol] for column in formula.inputs)
    parts = ["\n".join(PYTHON.comments(header(formula, PYTHON.title))), _imports(formula), *_helpers(formula)]
    parts += [_spline(names[definition.name], definition) for definition in splines(formula)]
    parts += [_rational(names[definition.name], definition) for definition in rationals(formula)]
    for variant in variants(formula):
        for output in variant.outputs:
            about = f"    # group: {variant.label}\n" if variant.label is not None else ""
            body = PYTHON.write(output.expression, names)
            parts.append(f"\ndef {names[output.symbol]}{variant.suffix}({arguments}):\n{about}    return {body}\n")
        calls = ", ".join(f"{names[output.symbol]}{variant.suffix}({arguments})" for output in variant.outputs)
        parts.append(f"\ndef predict{variant.suffix}({arguments}):\n    return {calls}\n")
    return "\n".join(parts)


def _imports(formula: Formula) -> str:
    return "\nimport bisect\nimport math\n" if splines(formula) else "\nimport math\n"


def _helpers(formula: Formula) -> list[str]:
    used = called(formula)
    used |= {"power"} if fractional_powers(formula) else set()
    used |= {"exp"} if splines(formula) else set()
    parts = [_DEFINITIONS[name] for name in _HELPERS if name in used]
    return [*parts, _EDGE] if splines(formula) else parts


def _spline(name: str, definition: SplineDefinition) -> str:
    knots = ", ".join(map(repr, definition.knots.tolist()))
    pieces = ",\n        ".join(f"({', '.join(map(repr, piece))})" for piece in definition.polynomials.tolist())
    low, high = (float(bound) for bound in definition.domain)
    return (
        f"\ndef {name}(x):\n    knots = ({knots})\n    pieces = (\n        {pieces},\n    )\n"
        f"    return edge(x, {low!r}, {high!r}, {float(definition.base)!r}, knots, pieces)\n"
    )


def _rational(name: str, definition: RationalDefinition) -> str:
    u, value = PYTHON.write(definition.inner, {"x": "x"}), PYTHON.write(definition.outer, {"u": "u"})
    return f"\ndef {name}(x):\n    u = {u}\n    return {value}\n"
