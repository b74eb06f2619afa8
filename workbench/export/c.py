"""C99 source with math.h alone: one function of doubles for every output, called formula_<symbol>."""

from __future__ import annotations

from workbench.bases.bspline import SplineDefinition
from workbench.bases.rational import RationalDefinition
from workbench.export.source import Language, called, check, header, rationals, splines, variants
from workbench.expression import symbols
from workbench.formula import Formula

_KEYWORDS = (
    "auto break case char const continue default do double else enum extern float for goto if inline int long register restrict return short "
    "signed sizeof static struct switch typedef union unsigned void volatile while asm typeof bool true false nullptr class new delete this "
    "template namespace linux unix I NAN INFINITY HUGE_VAL EOF NULL DOMAIN SING OVERFLOW UNDERFLOW PLOSS TLOSS HUGE errno "
    "M_PI M_E pow fabs edge sign main"
)

C = Language(
    title="C (C99, compile with -lm)",
    comment="//",
    functions={"abs": "fabs", "sign": "sign"},
    constants={"pi": "3.141592653589793", "e": "2.718281828459045"},
    reserved=frozenset(_KEYWORDS.split()),
    power=lambda base, exponent: f"pow({base}, {exponent})",
    power_is_call=True,
    integer=lambda value: f"{value}.0",
)

_SIGN = """
static double sign(double u)
{
    return (u > 0.0) - (u < 0.0);
}
"""

_EDGE = """
// A spline edge: base*u/(1 + exp(-u)), with [low, high] mapped to u in [-1, 1], plus a cubic between two knots.
static double edge(double x, double low, double high, double base, int n, const double *knots, const double (*pieces)[4])
{
    const double u = (2.0*x - low - high)/(high - low);
    double value = base*u/(1.0 + exp(-u));
    if (x >= knots[0] && x < knots[n]) {
        int j = 0;
        while (x >= knots[j + 1]) {
            ++j;
        }
        const double t = x - knots[j];
        value += ((pieces[j][3]*t + pieces[j][2])*t + pieces[j][1])*t + pieces[j][0];
    }
    return value;
}
"""


def write(formula: Formula) -> str:
    """Return a C file: a function formula_<symbol> for every output."""
    check(formula)
    names = C.names(formula)
    arguments = ", ".join(f"double {names[column.symbol]}" for column in formula.inputs) or "void"
    parts = ["\n".join(C.comments(header(formula, C.title))), "\n#include <math.h>\n"]
    parts += [_SIGN] if "sign" in called(formula) else []
    parts += [_EDGE] if splines(formula) else []
    parts += [_spline(names[definition.name], definition) for definition in splines(formula)]
    parts += [_rational(names[definition.name], definition) for definition in rationals(formula)]
    for variant in variants(formula):
        about = f"\n// group: {variant.label}." if variant.label is not None else ""
        for output in variant.outputs:
            body = C.write(output.expression, names)
            used = symbols(output.expression)
            unused = "".join(f"    (void){names[column.symbol]};\n" for column in formula.inputs if column.symbol not in used)
            parts.append(f"{about}\ndouble formula_{names[output.symbol]}{variant.suffix}({arguments})\n{{\n{unused}    return {body};\n}}\n")
    return "\n".join(parts)


def _spline(name: str, definition: SplineDefinition) -> str:
    knots = ", ".join(map(repr, definition.knots.tolist()))
    pieces = ",\n        ".join(f"{{{', '.join(map(repr, piece))}}}" for piece in definition.polynomials.tolist())
    low, high = (float(bound) for bound in definition.domain)
    return (
        f"\nstatic double {name}(double x)\n{{\n    static const double knots[] = {{{knots}}};\n"
        f"    static const double pieces[][4] = {{\n        {pieces}\n    }};\n"
        f"    return edge(x, {low!r}, {high!r}, {float(definition.base)!r}, {len(definition.polynomials)}, knots, pieces);\n}}\n"
    )


def _rational(name: str, definition: RationalDefinition) -> str:
    u, value = C.write(definition.inner, {"x": "x"}), C.write(definition.outer, {"u": "u"})
    return f"\nstatic double {name}(double x)\n{{\n    const double u = {u};\n    return {value};\n}}\n"
