"""Julia source without packages: one function of numbers for every output; broadcast it over columns with a dot, Volume.(x, y)."""

from __future__ import annotations

from workbench.bases.bspline import SplineDefinition
from workbench.bases.rational import RationalDefinition
from workbench.export.source import Language, called, check, header, rationals, splines, variants
from workbench.formula import Formula

_KEYWORDS = (
    "baremodule begin break catch const continue do else elseif end export false finally for function global if import in isa let local macro "
    "module mutable outer primitive public quote return struct abstract type true try using where while missing nothing Inf NaN pi im "
    "edge erf abs sign searchsortedlast length predict MathConstants Base Float64 Core Main"
)

JULIA = Language(
    title="Julia",
    comment="#",
    functions={},
    constants={"pi": "Float64(pi)", "e": "Float64(MathConstants.e)"},
    reserved=frozenset(_KEYWORDS.split()),
    power=lambda base, exponent: f"{base}^{exponent}",
    whole_power="^",
    integer=lambda value: f"{value}.0",
)

_ERF = "\nerf(u) = ccall((:erf, Base.libm_name), Float64, (Float64,), u)\n"

_EDGE = """
# A spline edge: base*u/(1 + exp(-u)), with [low, high] mapped to u in [-1, 1], plus a cubic between two knots.
function edge(x, low, high, base, knots, pieces)
    u = (2.0*x - low - high)/(high - low)
    value = base*u/(1.0 + exp(-u))
    j = searchsortedlast(knots, x)
    if 1 <= j <= length(pieces)
        c0, c1, c2, c3 = pieces[j]
        t = x - knots[j]
        value += ((c3*t + c2)*t + c1)*t + c0
    end
    return value
end
"""


def write(formula: Formula) -> str:
    """Return a Julia file: a function for every output, and `predict` for all of them."""
    check(formula)
    names = JULIA.names(formula)
    arguments = ", ".join(names[column.symbol] for column in formula.inputs)
    parts = ["\n".join(JULIA.comments(header(formula, JULIA.title)))]
    parts += [_ERF] if "erf" in called(formula) else []
    parts += [_EDGE] if splines(formula) else []
    parts += [_spline(names[definition.name], definition) for definition in splines(formula)]
    parts += [_rational(names[definition.name], definition) for definition in rationals(formula)]
    for variant in variants(formula):
        about = f"\n# group: {variant.label}" if variant.label is not None else ""
        for output in variant.outputs:
            body = JULIA.write(output.expression, names)
            parts.append(f"{about}\nfunction {names[output.symbol]}{variant.suffix}({arguments})\n    return {body}\nend\n")
        calls = ", ".join(f"{names[output.symbol]}{variant.suffix}({arguments})" for output in variant.outputs)
        parts.append(f"\npredict{variant.suffix}({arguments}) = ({calls},)\n")
    return "\n".join(parts)


def _spline(name: str, definition: SplineDefinition) -> str:
    knots = ", ".join(map(repr, definition.knots.tolist()))
    pieces = ",\n        ".join(f"({', '.join(map(repr, piece))})" for piece in definition.polynomials.tolist())
    low, high = (float(bound) for bound in definition.domain)
    return (
        f"\nfunction {name}(x)\n    knots = [{knots}]\n    pieces = [\n        {pieces},\n    ]\n"
        f"    return edge(x, {low!r}, {high!r}, {float(definition.base)!r}, knots, pieces)\nend\n"
    )


def _rational(name: str, definition: RationalDefinition) -> str:
    u, value = JULIA.write(definition.inner, {"x": "x"}), JULIA.write(definition.outer, {"u": "u"})
    return f"\nfunction {name}(x)\n    u = {u}\n    return {value}\nend\n"
