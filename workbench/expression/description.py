"""How rarely the laws of a science use a function, counted in nodes beyond the one that any function is.

Laws are written with exp, log, roots and sines; an inverse hyperbolic sine or an error function stands in hardly any, but each can be bent into
the curve of many that are. Of functions that fit as well the usual one is the likelier: by -log of how often it is used, about 3 nats a node.
`complexity` knows nothing of this: it counts what is written.

Every part that chooses among formulas takes its prices from here (search/native/judge.py, search/textbook.py, discovery/findings.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from workbench.expression.calculus import walk
from workbench.expression.tree import Call, Expression

NATS_PER_NODE = 3.0  # of likelihood, that a node of a formula must be worth
PLAIN = 20  # nodes of an exact law that is taken at once; a longer one may be a detour
RARITY: Mapping[str, int] = MappingProxyType(
    {
        **dict.fromkeys(("tanh", "asin", "acos", "cbrt", "tan", "sinh", "cosh", "atan", "abs", "log1p", "expm1"), 1),  # found now and then
        **dict.fromkeys(("asinh", "acosh", "atanh", "erf", "sign"), 2),  # found hardly ever
    }
)


def rarity(expression: Expression) -> int:
    """Return what the functions of an expression cost beyond their nodes.

    >>> from workbench.expression import parse
    >>> rarity(parse("2*exp(-x)*sin(x)")), rarity(parse("asinh(3*x) + tan(x)"))
    (0, 3)
    """
    return sum(RARITY.get(node.function, 0) for node in walk(expression) if isinstance(node, Call))
