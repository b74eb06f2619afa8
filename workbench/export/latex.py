r"""LaTeX: the formula as one would typeset it, with every digit of its constants.

Names are set as people write them: beta -> \beta, theta_2 -> \theta_{2}, Girth -> \mathrm{Girth}. The comments above the equations say which
column each symbol is. Round the formula first (`formula.rounded(3)`) if fewer digits are wanted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction

from workbench.bases.bspline import SplineDefinition
from workbench.bases.rational import RationalDefinition
from workbench.export.source import check, header, rationals, splines, variants
from workbench.expression import Call, Constant, Expression, Number, Symbol, mul
from workbench.expression.printer import is_decimal
from workbench.expression.tree import as_written, inverse, is_divisor, negative
from workbench.formula import Formula
from workbench.formula.provenance import part_at

_SUM, _PRODUCT, _POWER, _ATOM = 1, 2, 3, 4
_GREEK = frozenset(
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi omega "
    "Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega".split()
)
_EDGE = re.compile(r"phi_(\d+)_(\d+)_(\d+)(?:_(\d+))?")
_PARTS = re.compile(r"([^\W\d_]+)_?(.*)", re.DOTALL)
_FUNCTIONS = {
    **{name: f"\\{name}" for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{f"a{name}": f"\\arc{name}" for name in ("sin", "cos", "tan")},
    **{f"a{name}": f"\\operatorname{{ar{name}}}" for name in ("sinh", "cosh", "tanh")},
    "log": "\\ln",
    "sign": "\\operatorname{sgn}",
    "erf": "\\operatorname{erf}",
}


def write(formula: Formula, comments: bool = True) -> str:
    r"""Return the formula as an align environment below a header of comments.

    Parameters
    ----------
    comments : False gives the bare equations, joined by \\
    """
    check(formula)
    lines = []
    for variant in variants(formula):
        label = f"\\text{{{_escaped(variant.label)}: }} " if variant.label is not None else ""
        lines += [f"{label}{symbol(output.symbol)} &= {to_latex(output.expression)}" for output in variant.outputs]
    lines += [*map(_spline, splines(formula)), *map(_rational, rationals(formula))]
    if not comments:
        return " \\\\\n".join(line.replace(" &= ", " = ", 1) for line in lines)
    head = "\n".join(f"% {line}".rstrip() for line in header(formula, "LaTeX (amsmath)"))
    return f"{head}\n\\begin{{align}}\n  " + " \\\\\n  ".join(lines) + "\n\\end{align}\n"


def to_latex(expression: Expression) -> str:
    r"""Return one expression in LaTeX.

    >>> from workbench.expression import parse
    >>> to_latex(parse("2*x/(3*theta_2) - exp(-x)"))
    '\\frac{2\\,x}{3\\,\\theta_{2}} - e^{-x}'
    """
    return _Setter({}).text(expression)


def to_coloured_latex(expression: Expression, colours: Mapping[tuple[int, ...], str]) -> str:
    r"""Return one expression in LaTeX with some of its parts in colours.

    Parameters
    ----------
    colours : the arguments that lead to a part, from the root on -> its colour, as #rrggbb

    >>> from workbench.expression import parse
    >>> to_coloured_latex(parse("x + exp(x)"), {(1,): "#0000ff"})
    'x + \\textcolor{#0000ff}{{e^{x}}}'
    """
    tree = _distinct(expression)
    return _Setter({id(part_at(tree, path)): colour for path, colour in colours.items()}).text(tree)


def symbol(name: str) -> str:
    r"""Return a name as it is typeset.

    >>> symbol("beta"), symbol("x1"), symbol("T_cold")
    ('\\beta', 'x_{1}', 'T_{\\mathrm{cold}}')
    """
    if edge := _EDGE.fullmatch(name):
        return f"\\varphi_{{{','.join(filter(None, edge.groups()))}}}"
    if not (parts := _PARTS.fullmatch(name)):
        return f"\\mathrm{{{_escaped(name)}}}"
    stem, index = parts.groups()
    if name != f"{stem}_{index}" and not index.isdigit():
        stem, index = name, ""
    base = f"\\{stem}" if stem in _GREEK else stem if len(stem) == 1 else f"\\mathrm{{{_escaped(stem)}}}"
    if not index:
        return base
    return f"{base}_{{{index}}}" if index.isdigit() else f"{base}_{{\\mathrm{{{_escaped(index)}}}}}"


def _escaped(text: str | None) -> str:
    signs = {"\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", **{sign: f"\\{sign}" for sign in "_#$%&{}"}}
    return "".join(signs.get(sign, sign) for sign in text or "")


class _Setter:
    """Sets expressions, each with how tightly it holds together; `marks` says which nodes, by their id, are set in which colour."""

    def __init__(self, marks: Mapping[int, str]) -> None:
        self.marks = dict(marks)
        self._kept: list[Expression] = []  # nodes made on the way: an id is only its own while they live

    def text(self, node: Expression) -> str:
        return self._marked(node, self.latex(node)[0])

    def latex(self, node: Expression) -> tuple[str, int]:
        match node:
            case Number(value=value):
                return _number(value)
            case Constant(name=name):
                return "\\pi" if name == "pi" else "e", _ATOM
            case Symbol(name=name):
                return symbol(name), _ATOM
            case Call(function="add", arguments=terms):
                first, *others = as_written(terms)
                return self.text(first) + "".join(map(self.further, others)), _SUM
            case Call(function="mul", arguments=factors):
                return self.product(factors), _PRODUCT
            case Call(function="pow", arguments=(base, exponent)):
                if is_divisor(node):
                    return self.product((node,)), _PRODUCT
                return f"{self.bracket(base, _ATOM)}^{{{self.text(exponent)}}}", _POWER
            case Call(function=name, arguments=(argument,)):
                return _call(name, self.text(argument))
        raise TypeError(f"to_latex: {node!r} is no expression.")

    def further(self, term: Expression) -> str:
        """Set a term that is not the first, behind its sign."""
        return f" - {self._marked(term, self.enclosed(self._flipped(term), _PRODUCT))}" if negative(term) else f" + {self.text(term)}"

    def bracket(self, node: Expression, level: int) -> str:
        return self._marked(node, self.enclosed(node, level))

    def enclosed(self, node: Expression, level: int) -> str:
        text, own = self.latex(node)
        return text if own >= level else f"\\left({text}\\right)"

    def product(self, factors: tuple[Expression, ...]) -> str:
        sign, above, below = "", [], []
        if isinstance(factors[0], Number) and negative(mul(*factors)):
            sign, factors = "-", (self._flipped(factors[0]), *factors[1:])
        for factor in factors:
            if is_divisor(factor):
                below.append(self._kin(inverse(factor), factor))
            elif isinstance(factor, Number) and isinstance(factor.value, Fraction):
                above += [self._kin(Number(factor.value.numerator), factor)] if factor.value.numerator != 1 else []
                below.insert(0, self._kin(Number(factor.value.denominator), factor))
            elif factor != Number(1):
                above.append(factor)
        if not below:
            return sign + self.juxtaposed(above)
        return f"{sign}\\frac{{{self.juxtaposed(above)}}}{{{self.juxtaposed(below)}}}"

    def juxtaposed(self, factors: list[Expression]) -> str:
        r"""Set factors side by side; what would read as one number gets a \cdot."""
        if len(factors) < 2:
            return self.text(factors[0]) if factors else "1"
        text = self.bracket(factors[0], _PRODUCT)
        for factor in factors[1:]:
            piece = self.enclosed(factor, _POWER)
            text += (" \\cdot " if piece[0].isdigit() else "\\,") + self._marked(factor, piece)
        return text

    def _marked(self, node: Expression, text: str) -> str:
        colour = self.marks.get(id(node))
        return text if colour is None else f"\\textcolor{{{colour}}}{{{{{text}}}}}"

    def _flipped(self, node: Expression) -> Expression:
        """Return the negative of a number, or of a product with one in front; that number keeps its mark."""
        flipped = mul(-1, node)
        before, after = (part.arguments[0] if isinstance(part, Call) and part.function == "mul" else part for part in (node, flipped))
        if isinstance(after, Number):
            self._kin(after, before)
        self._kept.append(flipped)
        return flipped

    def _kin(self, made: Expression, origin: Expression) -> Expression:
        """Mark a node that stands for another one."""
        self._kept.append(made)
        if id(origin) in self.marks:
            self.marks[id(made)] = self.marks[id(origin)]
        return made


def _distinct(node: Expression) -> Expression:
    """Return an equal tree in which no two places share a node."""
    match node:
        case Call(function=function, arguments=arguments):
            return Call(function, tuple(map(_distinct, arguments)))
        case Symbol(name=name):
            return Symbol(name)
        case Number(value=value):
            return Number(value)
    return node


def _call(name: str, inside: str) -> tuple[str, int]:
    match name:
        case "exp":
            return f"e^{{{inside}}}", _POWER
        case "expm1":
            return f"e^{{{inside}}} - 1", _SUM
        case "log1p":
            return f"\\ln\\left(1 + {inside}\\right)", _ATOM
        case "sqrt":
            return f"\\sqrt{{{inside}}}", _ATOM
        case "cbrt":
            return f"\\sqrt[3]{{{inside}}}", _ATOM
        case "abs":
            return f"\\left|{inside}\\right|", _ATOM
    return f"{_FUNCTIONS.get(name) or symbol(name)}\\left({inside}\\right)", _ATOM


def _number(value: int | Fraction | float) -> tuple[str, int]:
    if isinstance(value, Fraction) and is_decimal(value):
        return repr(float(value)), _SUM if value < 0 else _ATOM
    if isinstance(value, Fraction):
        return f"{'-' if value < 0 else ''}\\frac{{{abs(value.numerator)}}}{{{value.denominator}}}", _PRODUCT
    mantissa, _, exponent = repr(value).partition("e") if isinstance(value, float) else (str(value), "", "")
    text = f"{mantissa} \\cdot 10^{{{int(exponent)}}}" if exponent else mantissa
    return text, _SUM if value < 0 else (_PRODUCT if exponent else _ATOM)


def _spline(definition: SplineDefinition) -> str:
    """Return the exact function of a spline edge: its base term and its cubic pieces."""
    low, high = (float(bound) for bound in definition.domain)
    rows = []
    for start, stop, piece in zip(definition.knots.tolist(), definition.knots.tolist()[1:], definition.polynomials.tolist(), strict=False):
        local = f"\\left(x {'-' if start >= 0 else '+'} {_number(abs(start))[0]}\\right)"
        powers = "".join(
            f" {'-' if c < 0 else '+'} {_number(abs(c))[0]}\\,{local}{f'^{{{n}}}' if n > 1 else ''}" for n, c in enumerate(piece) if n and c
        )
        rows.append(f"{_number(piece[0])[0]}{powers} & {_number(start)[0]} \\le x < {_number(stop)[0]}")
    cases = " \\\\ ".join([*rows, "0 & \\text{otherwise}"])
    return (
        f"{symbol(definition.name)}(x) &= {_number(float(definition.base))[0]}\\,\\frac{{u}}{{1 + e^{{-u}}}} + "
        f"\\begin{{cases}} {cases} \\end{{cases}}, \\quad {_u(low, high)}"
    )


def _rational(definition: RationalDefinition) -> str:
    """Return the exact function of a rational edge, its polynomials by powers."""
    return f"{symbol(definition.name)}(x) &= {to_latex(definition.by_powers)}, \\quad {_u(*definition.domain)}"


def _u(low: float, high: float) -> str:
    """Return what an edge sees of its input."""
    return f"u = \\frac{{x - \\left({_number((low + high) / 2)[0]}\\right)}}{{{_number((high - low) / 2)[0]}}}"
