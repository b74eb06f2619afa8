"""Which form an expression of one variable is: one of the library, if c*f(a*x + b) says it all, else one as if it had been typed."""

from __future__ import annotations

from workbench.expression import Call, Expression, Number, Symbol, free_constants, to_text, with_constants
from workbench.expression.terms import part_number, terms_of
from workbench.primitives.forms import Form, PrimitiveForm, TypedForm
from workbench.primitives.library import LIBRARY
from workbench.primitives.primitive import Primitive

NamedForm = tuple[Form, tuple[float, ...], tuple[bool, ...]]

_FUNCTIONS = {
    primitive.expression.function: primitive
    for primitive in LIBRARY.values()
    if isinstance(primitive.expression, Call) and primitive.expression.arguments == (Symbol("z"),)
}
_POWERS = {
    primitive.expression.arguments[1]: primitive
    for primitive in LIBRARY.values()
    if not primitive.shape and isinstance(primitive.expression, Call) and primitive.expression.function == "pow" and primitive.expression.arguments[0] == Symbol("z")
}


def named(expression: Expression) -> NamedForm:
    """Return form, parameters and which of them a fit may change, for an expression in x.

    Its floats are the constants that may be fitted. What is exact in it stays exact: where a form of the library would write it as a float,
    the form is a typed one.

    >>> from workbench.expression import parse
    >>> form, parameters, free = named(parse("2.5*exp(-x)"))
    >>> form.name, parameters, free
    ('exp', (2.5, -1.0, 0.0), (True, False, False))
    >>> named(parse("x**2/3"))[0].name
    'x**2/3'
    """
    return _of_library(expression) or _typed(expression)


def _of_library(expression: Expression) -> NamedForm | None:
    factor, core = part_number(expression)
    found = _primitive(core)
    inside = None if found is None else _affine(found[1])
    if found is None or inside is None or not _trivial(factor, (1, -1)):
        return None
    primitive, _, shape = found
    numbers = (factor, *inside, *shape)
    return PrimitiveForm(primitive), tuple(float(n.value) for n in numbers), tuple(not n.exact for n in numbers)


def _primitive(core: Expression) -> tuple[Primitive, Expression, tuple[Number, ...]] | None:
    """Return the primitive that an expression is, its argument and its shape."""
    match core:
        case Symbol():
            return LIBRARY["x"], core, ()
        case Call(function="pow", arguments=(argument, Number() as exponent)):
            if exponent in _POWERS:
                return _POWERS[exponent], argument, ()
            return None if exponent.exact else (LIBRARY["x^p"], argument, (exponent,))
        case Call(function=name, arguments=(argument,)) if name in _FUNCTIONS:
            return _FUNCTIONS[name], argument, ()
    return None


def _affine(argument: Expression) -> tuple[Number, Number] | None:
    """Return a and b of a*x + b, if a form of the library writes them as they are."""
    terms = terms_of(argument)
    slope, variable = part_number(terms[0])
    shift = terms[1] if len(terms) == 2 else Number(0)
    if len(terms) > 2 or not isinstance(variable, Symbol) or not isinstance(shift, Number):
        return None
    return (slope, shift) if _trivial(slope, (1, -1)) and _trivial(shift, (0,)) else None


def _trivial(number: Number, exact: tuple[int, ...]) -> bool:
    return not number.exact or number.value in exact


def _typed(expression: Expression) -> NamedForm:
    values = free_constants(expression)
    names = [f"k{i + 1}" for i in range(len(values))]
    form = TypedForm(to_text(with_constants(expression, [Symbol(name) for name in names])))
    known = dict(zip(names, values, strict=True))
    return form, tuple(known[name] for name in form.parameter_names), form.free
