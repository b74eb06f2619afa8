"""Expressions: our own trees, parser, printer, evaluation, calculus and folding of formulas.

    parse  ->  tree  ->  evaluate, value_and_jacobian, differentiate, fold, complexity  ->  to_text

Text enters through `parse` alone, which knows a fixed list of functions and runs nothing. Trees are frozen and compared by value;
`parse(to_text(e)) == e`. Numbers without point are exact, floats are constants that may be fitted.
"""

from workbench.expression.algebra import from_sympy, to_sympy
from workbench.expression.calculus import (
    complexity,
    differentiate,
    factors_of,
    free_constants,
    named_functions,
    substitute,
    symbols,
    walk,
    with_constants,
)
from workbench.expression.evaluation import evaluate, value_and_gradient, value_and_jacobian
from workbench.expression.exact import nearest_exact
from workbench.expression.folding import fold
from workbench.expression.functions import CONSTANTS, FUNCTIONS, Function
from workbench.expression.parser import parse
from workbench.expression.printer import readable, to_text
from workbench.expression.tree import (
    RESERVED_NAMES,
    Call,
    Constant,
    Expression,
    Number,
    Symbol,
    add,
    as_expression,
    call,
    mul,
    power,
)
from workbench.expression.upright import upright

__all__ = [
    "CONSTANTS",
    "FUNCTIONS",
    "RESERVED_NAMES",
    "Call",
    "Constant",
    "Expression",
    "Function",
    "Number",
    "Symbol",
    "add",
    "as_expression",
    "call",
    "complexity",
    "differentiate",
    "evaluate",
    "factors_of",
    "fold",
    "free_constants",
    "from_sympy",
    "mul",
    "named_functions",
    "nearest_exact",
    "parse",
    "power",
    "readable",
    "substitute",
    "symbols",
    "to_sympy",
    "to_text",
    "upright",
    "value_and_gradient",
    "value_and_jacobian",
    "walk",
    "with_constants",
]
