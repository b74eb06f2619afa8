"""The functions of one variable that an expression may call, in one table.

Each record holds the name used in text, the NumPy value, the slope as a number (the value is reused where that is cheaper), the
slope as text for the symbolic derivative, and the parity: f(-u) = -f(u) for odd functions, f(-u) = f(u) for even ones.

`abs` has slope 0 at 0 and `sign` has slope 0 everywhere, as least squares needs; `sign(0)` is 0 as in NumPy, C's users and SymPy expect.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

Array = np.ndarray


@dataclass(frozen=True)
class Function:
    """A function of one variable: its value, its slope as number and as text, and its parity."""

    name: str
    value: Callable[[Array], Array]
    slope: Callable[[Array, Array], Array]  # slope(u, f(u))
    slope_text: str  # in the symbol u
    parity: Literal["odd", "even", "none"] = "none"


def erf(u: Array) -> Array:
    """Evaluate the error function 2/sqrt(pi) * integral of exp(-t^2) from 0 to u."""
    from scipy.special import erf as scipy_erf  # 0.2 s to import, needed by few formulas

    return scipy_erf(u)


FUNCTIONS: dict[str, Function] = {
    function.name: function
    for function in (
        Function("exp", np.exp, lambda u, f: f, "exp(u)"),
        Function("log", np.log, lambda u, f: 1 / u, "1/u"),
        Function("sqrt", np.sqrt, lambda u, f: 0.5 / f, "1/(2*sqrt(u))"),
        Function("cbrt", np.cbrt, lambda u, f: 1 / (3 * f * f), "1/(3*cbrt(u)**2)", "odd"),
        Function("abs", np.abs, lambda u, f: np.sign(u), "sign(u)", "even"),
        Function("sign", np.sign, lambda u, f: np.zeros_like(u), "0", "odd"),
        Function("sin", np.sin, lambda u, f: np.cos(u), "cos(u)", "odd"),
        Function("cos", np.cos, lambda u, f: -np.sin(u), "-sin(u)", "even"),
        Function("tan", np.tan, lambda u, f: 1 + f * f, "1 + tan(u)**2", "odd"),
        Function("asin", np.arcsin, lambda u, f: 1 / np.sqrt((1 - u) * (1 + u)), "1/sqrt(1 - u**2)", "odd"),
        Function("acos", np.arccos, lambda u, f: -1 / np.sqrt((1 - u) * (1 + u)), "-1/sqrt(1 - u**2)"),
        Function("atan", np.arctan, lambda u, f: 1 / (1 + u * u), "1/(1 + u**2)", "odd"),
        Function("sinh", np.sinh, lambda u, f: np.cosh(u), "cosh(u)", "odd"),
        Function("cosh", np.cosh, lambda u, f: np.sinh(u), "sinh(u)", "even"),
        Function("tanh", np.tanh, lambda u, f: 1 - f * f, "1 - tanh(u)**2", "odd"),
        Function("asinh", np.arcsinh, lambda u, f: 1 / np.hypot(1, u), "1/sqrt(1 + u**2)", "odd"),
        Function("acosh", np.arccosh, lambda u, f: 1 / (np.sqrt(u - 1) * np.sqrt(u + 1)), "1/(sqrt(u - 1)*sqrt(u + 1))"),
        Function("atanh", np.arctanh, lambda u, f: 1 / ((1 - u) * (1 + u)), "1/(1 - u**2)", "odd"),
        Function("erf", erf, lambda u, f: 2 / np.sqrt(np.pi) * np.exp(-u * u), "2/sqrt(pi)*exp(-u**2)", "odd"),
        Function("expm1", np.expm1, lambda u, f: f + 1, "exp(u)"),
        Function("log1p", np.log1p, lambda u, f: 1 / (1 + u), "1/(1 + u)"),
    )
}

CONSTANTS: dict[str, float] = {"pi": np.pi, "e": np.e}

ALIASES: dict[str, str] = {
    "ln": "log",
    "fabs": "abs",
    "sgn": "sign",
    **{f"arc{name}": f"a{name}" for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{f"ar{name}": f"a{name}" for name in ("sinh", "cosh", "tanh")},
}

# Written with the functions above when read: log10(u) is log(u)/log(10).
LOGARITHM_BASES: dict[str, int] = {"log10": 10, "log2": 2}
