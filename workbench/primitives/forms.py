"""Forms: what an edge computes once it has a name, phi(x) = c*f(a*x + b; shape), or what a person typed.

Both kinds answer to the same questions, so that networks, fits and formulas need not tell them apart:

    evaluate(x, parameters)     -> value and slope            expression(argument, parameters)  -> the formula
    jacobian(x, parameters)     -> d value / d parameters     inside_domain(x, parameters)      -> where it is defined

A form has no offset: every node has one bias, and the offset of an edge is moved there. Where a value is finite but its slope is not, as for
sqrt at 0, the slope is given as 0: that row cannot say which way to move, and one infinite number would silence all the others.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np

from workbench.exceptions import ExpressionError
from workbench.expression import (
    Call,
    Expression,
    Number,
    Symbol,
    add,
    complexity,
    free_constants,
    mul,
    parse,
    substitute,
    symbols,
    to_text,
    value_and_gradient,
    walk,
    with_constants,
)
from workbench.primitives.library import find
from workbench.primitives.primitive import Affine, Array, Primitive

Parameters = Sequence[float] | Array  # the constants of a form, in the order of its names

_LONGEST_TEXT = 2000
_MOST_CONSTANTS = 12


@runtime_checkable
class Form(Protocol):
    """What networks, fits and formulas may ask of a form."""

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def parameter_names(self) -> tuple[str, ...]: ...
    @property
    def complexity(self) -> int: ...
    @property
    def free(self) -> tuple[bool, ...]: ...
    def evaluate(self, x: Array, parameters: Parameters) -> tuple[Array, Array]: ...
    def jacobian(self, x: Array, parameters: Parameters) -> Array: ...
    def expression(self, argument: Expression, parameters: Parameters) -> Expression: ...
    def inside_domain(self, x: Array, parameters: Parameters) -> Array: ...
    def to_json(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class PrimitiveForm:
    """A form of the library, phi(x) = c*f(a*x + b; shape), with parameters (c, a, b, *shape).

    >>> form = PrimitiveForm(find("exp"))
    >>> form.parameter_names, form.free
    (('c', 'a', 'b'), (True, True, False))
    >>> str(form.expression(Symbol("x"), [2.0, -0.5, 0.0]))
    '2.0*exp(-0.5*x)'
    """

    primitive: Primitive

    _FREE: ClassVar[dict[Affine, tuple[bool, bool]]] = {
        "none": (False, False),
        "scale": (True, False),
        "shift": (False, True),
        "both": (True, True),
    }

    @property
    def name(self) -> str:
        return self.primitive.name

    @property
    def title(self) -> str:
        return self.primitive.title

    @property
    def parameter_names(self) -> tuple[str, ...]:
        return ("c", "a", "b", *(shape.name for shape in self.primitive.shape))

    @property
    def complexity(self) -> int:
        return self.primitive.complexity

    @property
    def free(self) -> tuple[bool, ...]:
        """Which parameters a fit may change: c and the shape always, a and b where they can be told from data."""
        return (True, *self._FREE[self.primitive.affine], *(True for _ in self.primitive.shape))

    def evaluate(self, x: Array, parameters: Parameters) -> tuple[Array, Array]:
        """Return phi(x) and d phi / dx, both of the shape of x.

        d/dx c f(a x + b) = c a f'(a x + b)
        """
        c, a, b, *shape = parameters
        value, slope = self.primitive.value_and_derivative(a * np.asarray(x, dtype=np.float64) + b, *shape)
        with np.errstate(all="ignore"):
            return c * value, c * a * _finite(slope)

    def jacobian(self, x: Array, parameters: Parameters) -> Array:
        """Return d phi / d parameters: (n_parameters, N), rows in the order of `parameter_names`."""
        c, a, b, *shape = parameters
        x = np.asarray(x, dtype=np.float64)
        z = a * x + b
        rows = np.empty((3 + len(shape), *x.shape))
        rows[0], slope = self.primitive.value_and_derivative(z, *shape)
        with np.errstate(all="ignore"):
            np.multiply(_finite(slope), c, out=rows[2])
            np.multiply(rows[2], x, out=rows[1])
            if shape:
                rows[3:] = c * _finite(self.primitive.shape_derivatives(z, *shape))
        return rows

    def expression(self, argument: Expression, parameters: Parameters) -> Expression:
        """Return c*f(a*argument + b; shape) as a tree; factors of 1 and a shift of 0 are left out."""
        c, a, b, *shape = (float(value) for value in parameters)
        inside = mul(_factor(a), argument)
        if b != 0:
            inside = add(inside, Number(b))
        values = {own.name: Number(value) for own, value in zip(self.primitive.shape, shape, strict=True)}
        return mul(_factor(c), substitute(self.primitive.expression, {"z": inside, **values}))

    def inside_domain(self, x: Array, parameters: Parameters) -> Array:
        """Return for every x whether phi is defined there, with all data on one side of a pole."""
        _, a, b, *shape = parameters
        z = a * np.asarray(x, dtype=np.float64) + b
        return self.primitive.inside(z) & np.isfinite(self.primitive.value(z, *shape))

    def to_json(self) -> dict[str, Any]:
        return {"kind": "primitive", "name": self.name}


@dataclass(frozen=True)
class TypedForm:
    """A form that a person typed, in the variable x; every other name is a constant to fit, numbers stay as typed.

    A constant that is only added is left out, with a note: the bias of the node has it.

    >>> form = TypedForm("a*exp(-b*x) + c")
    >>> form.parameter_names, form.notes
    (('a', 'b'), ("'+ c' is left out: the node has a bias, which is fitted along.",))

    Parameters
    ----------
    text : the formula
    near : values of its constants that are known to be good, in the order of `parameter_names`; a fit starts there too. None of a form that somebody
        typed; one that was found may have no constants
    """

    text: str
    near: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.text, str) or len(self.text) > _LONGEST_TEXT:
            raise ExpressionError(f"TypedForm: a formula in x of at most {_LONGEST_TEXT} characters is needed, such as 'a*exp(-b*x)'.")
        if "x" not in symbols(self._tree):
            raise ExpressionError(f"TypedForm({self.text!r}): the formula does not depend on x. Write the input as x, such as 'a*x^p'.")
        if len(self.parameter_names) > _MOST_CONSTANTS:
            raise ExpressionError(
                f"TypedForm({self.text[:60]!r}): {len(self.parameter_names)} constants ({', '.join(self.parameter_names)}); "
                f"at most {_MOST_CONSTANTS} can be fitted on one edge."
            )
        if self.near is not None and len(self.near) != len(self.parameter_names):
            raise ExpressionError(f"TypedForm({self.text[:60]!r}): {len(self.near)} values for {len(self.parameter_names)} constants.")

    @property
    def _split(self) -> tuple[Expression, tuple[str, ...]]:
        return _without_offset(self.text)

    @property
    def _tree(self) -> Expression:
        return self._split[0]

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out, in plain words."""
        return self._split[1]

    @property
    def name(self) -> str:
        return to_text(self._tree)

    @property
    def title(self) -> str:
        return "typed form" if self.near is None else "found form"

    @cached_property
    def parameter_names(self) -> tuple[str, ...]:
        """The names of its constants, in order of appearance."""
        names = (node.name for node in walk(self._tree) if isinstance(node, Symbol))
        return tuple(dict.fromkeys(name for name in names if name != "x"))

    @property
    def complexity(self) -> int:
        return complexity(self._tree)

    @property
    def free(self) -> tuple[bool, ...]:
        return (True,) * len(self.parameter_names)

    @property
    def starts(self) -> tuple[tuple[float, ...], ...]:
        """Values of the constants worth starting a fit from: those known, all ones, then signs and magnitudes 0.1 to 10 around them."""
        count = len(self.parameter_names)
        known = (self.near,) if self.near else ()
        if count <= 3:
            return (*known, *itertools.product((1.0, -1.0, 0.1, 10.0), repeat=count))
        generator = np.random.default_rng(0)
        sizes = 10.0 ** generator.uniform(-1, 1, (64, count)) * generator.choice([1.0, -1.0], (64, count))
        return (*known, (1.0,) * count, *map(tuple, sizes.tolist()))

    def evaluate(self, x: Array, parameters: Parameters) -> tuple[Array, Array]:
        """Return phi(x) and d phi / dx, both of the shape of x."""
        value, gradient = value_and_gradient(self._tree, self._values(x, parameters), ["x"])
        return value, _finite(gradient[0])

    def jacobian(self, x: Array, parameters: Parameters) -> Array:
        """Return d phi / d constants: (n_parameters, N), rows in the order of `parameter_names`."""
        return _finite(value_and_gradient(self._tree, self._values(x, parameters), self.parameter_names)[1])

    def expression(self, argument: Expression, parameters: Parameters) -> Expression:
        """Return the formula with x replaced by the argument and every constant by its value."""
        values = {name: Number(float(value)) for name, value in zip(self.parameter_names, parameters, strict=True)}
        return substitute(self._tree, {"x": argument, **values})

    def inside_domain(self, x: Array, parameters: Parameters) -> Array:
        """Return for every x whether phi is finite there."""
        return np.isfinite(self.evaluate(x, parameters)[0])

    def to_json(self) -> dict[str, Any]:
        return {"kind": "typed", "text": self.text, **({} if self.near is None else {"near": list(self.near)})}

    def _values(self, x: Array, parameters: Parameters) -> dict[str, Array | float]:
        return {"x": x, **dict(zip(self.parameter_names, parameters, strict=True))}


def form_from_json(record: Mapping[str, Any]) -> PrimitiveForm | TypedForm:
    """Return the form that `to_json` wrote.

    >>> form_from_json({"kind": "primitive", "name": "sin"}).name
    'sin'
    """
    match record:
        case {"kind": "primitive", "name": str(name)}:
            return PrimitiveForm(find(name))
        case {"kind": "typed", "text": str(text)}:
            near = record.get("near")
            return TypedForm(text, None if near is None else tuple(float(value) for value in near))
    raise ExpressionError(f"form_from_json({str(record)[:80]}): allowed are kind 'primitive' with a name, and kind 'typed' with a text.")


def _finite(slope: Array) -> Array:
    """Replace infinite slopes by 0; NaN stays, it says that the value is undefined too."""
    infinite = np.isinf(slope)
    return np.where(infinite, 0.0, slope) if infinite.any() else slope


def _factor(value: float) -> Number:
    """Return 1 and -1 as exact numbers, which vanish or become a sign."""
    return Number(int(value)) if value in (1.0, -1.0) else Number(value)


@cache
def _without_offset(text: str) -> tuple[Expression, tuple[str, ...]]:
    """Parse a typed form, its numbers exact, and part terms that are constants of their own, which the node's bias takes over."""
    tree = parse(text)
    tree = with_constants(tree, [Number(Fraction(repr(value))) for value in free_constants(tree)])
    terms = tree.arguments if isinstance(tree, Call) and tree.function == "add" else (tree,)
    kept, notes = [], []
    for position, term in enumerate(terms):
        elsewhere = symbols(add(*terms[:position], *terms[position + 1 :]))
        if "x" in symbols(term) or symbols(term) & elsewhere or len(terms) == 1:
            kept.append(term)
        else:
            notes.append(f"'+ {to_text(term)}' is left out: the node has a bias, which is fitted along.")
    return add(*kept), tuple(notes)
