"""MATLAB source that GNU Octave runs as well: one file, one function of whole columns, save it as formula.m.

MATLAB answers complex numbers where a real function is not defined; the formula has no value there. Local functions real_log and so on
give NaN instead, as everywhere else in the workbench.
"""

from __future__ import annotations

from workbench.bases.bspline import SplineDefinition
from workbench.bases.rational import RationalDefinition
from workbench.export.source import Language, Variant, called, check, fractional_powers, header, rationals, splines, variants
from workbench.expression import symbols
from workbench.formula import Formula

_KEYWORDS = (
    "break case catch classdef continue else elseif end for function global if otherwise parfor persistent return spmd switch try while "
    "pi Inf NaN nan inf eps i j ans exp end_function endfunction endif endfor endwhile until do unwind_protect formula edge nthroot erf "
    "real nargin zeros size law group strcmp error"
)
_GUARDS = {  # name of ours -> (condition for a real value, what computes it)
    "log": ("u >= 0", "log(u)"),
    "sqrt": ("u >= 0", "sqrt(u)"),
    "log1p": ("u >= -1", "log1p(u)"),
    "asin": ("abs(u) <= 1", "asin(u)"),
    "acos": ("abs(u) <= 1", "acos(u)"),
    "acosh": ("u >= 1", "acosh(u)"),
    "atanh": ("abs(u) <= 1", "atanh(u)"),
}

MATLAB = Language(
    title="MATLAB and GNU Octave (save it as formula.m)",
    comment="%",
    functions={**{name: f"real_{name}" for name in _GUARDS}, "cbrt": "real_cbrt"},
    constants={"pi": "pi", "e": "exp(1)"},
    reserved=frozenset({*_KEYWORDS.split(), "real_power", "real_cbrt", *(f"real_{name}" for name in _GUARDS)}),
    times=".*",
    over="./",
    power=lambda base, exponent: f"real_power({base}, {exponent})",
    power_is_call=True,
    whole_power=".^",
)

_POWER = """
function y = real_power(base, exponent)
  undefined = (base < 0 & exponent ~= round(exponent)) | isnan(base) | isnan(exponent);
  y = real(power(base, exponent));
  y(undefined & true(size(y))) = NaN;
end
"""

_EDGE = """
% A spline edge: base*u/(1 + exp(-u)), with [low, high] mapped to u in [-1, 1], plus a cubic between two knots.
function y = edge(x, low, high, base, knots, pieces)
  u = (2*x - low - high)/(high - low);
  y = base*u./(1 + exp(-u));
  for k = 1:size(pieces, 1)
    inside = x >= knots(k) & x < knots(k + 1);
    t = x(inside) - knots(k);
    y(inside) = y(inside) + ((pieces(k, 4)*t + pieces(k, 3)).*t + pieces(k, 2)).*t + pieces(k, 1);
  end
end
"""


def write(formula: Formula) -> str:
    """Return a MATLAB function file: formula(inputs) gives all outputs; formula(inputs, 'label') those of one group."""
    check(formula)
    names = MATLAB.names(formula)
    parts = ["\n".join(MATLAB.comments(header(formula, MATLAB.title))), _main(formula, names)]
    parts += [_function(formula, names, variant) for variant in variants(formula)]
    used = called(formula)
    parts += [_guard(name) for name in _GUARDS if name in used]
    parts += ["\nfunction y = real_cbrt(u)\n  y = nthroot(u, 3);\nend\n"] if "cbrt" in used else []
    parts += [_POWER] if fractional_powers(formula) else []
    parts += [_EDGE] if splines(formula) else []
    parts += [_spline(names[definition.name], definition) for definition in splines(formula)]
    parts += [_rational(names[definition.name], definition) for definition in rationals(formula)]
    return "\n".join(parts)


def _main(formula: Formula, names: dict[str, str]) -> str:
    outputs = ", ".join(names[output.symbol] for output in formula.outputs)
    arguments = ", ".join(names[column.symbol] for column in formula.inputs)
    if not formula.groups:
        return f"\nfunction [{outputs}] = formula({arguments})\n  [{outputs}] = law({arguments});\nend\n"
    lines = [f"\nfunction [{outputs}] = formula({arguments}, group)", "  if nargin == " + str(len(formula.inputs))]
    lines += [f"    [{outputs}] = law({arguments});"]
    for variant in variants(formula):
        if variant.label is not None:
            lines += [f"  elseif strcmp(group, {_quoted(variant.label)})", f"    [{outputs}] = law{variant.suffix}({arguments});"]
    return "\n".join([*lines, "  else", "    error('formula: there is no such group');", "  end", "end\n"])


def _function(formula: Formula, names: dict[str, str], variant: Variant) -> str:
    outputs = ", ".join(names[output.symbol] for output in variant.outputs)
    arguments = ", ".join(names[column.symbol] for column in formula.inputs)
    lines = []
    for output in variant.outputs:
        constant = not symbols(output.expression) and formula.inputs
        shape = f" + zeros(size({names[formula.inputs[0].symbol]}))" if constant else ""
        lines.append(f"  {names[output.symbol]} = {MATLAB.write(output.expression, names)}{shape};")
    return "\n".join([f"\nfunction [{outputs}] = law{variant.suffix}({arguments})", *lines, "end\n"])


def _guard(name: str) -> str:
    condition, value = _GUARDS[name]
    return f"\nfunction y = real_{name}(u)\n  u(~({condition})) = NaN;\n  y = {value};\nend\n"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _spline(name: str, definition: SplineDefinition) -> str:
    knots = ", ".join(map(repr, definition.knots.tolist()))
    pieces = "; ...\n            ".join(", ".join(map(repr, piece)) for piece in definition.polynomials.tolist())
    low, high = (float(bound) for bound in definition.domain)
    return (
        f"\nfunction y = {name}(x)\n  knots = [{knots}];\n  pieces = [{pieces}];\n"
        f"  y = edge(x, {low!r}, {high!r}, {float(definition.base)!r}, knots, pieces);\nend\n"
    )


def _rational(name: str, definition: RationalDefinition) -> str:
    u, value = MATLAB.write(definition.inner, {"x": "x"}), MATLAB.write(definition.outer, {"u": "u"})
    return f"\nfunction y = {name}(x)\n  u = {u};\n  y = {value};\nend\n"
