"""The table of forms an edge can snap to: name, words, formula, complexity, which of a and b count, domain, value and slope.

Complexity is the length at which a textbook would write the form, so that the plain one wins a tie: x counts 1; a square, reciprocal,
root, exponential, logarithm or sine 2; a cube and one function of a function 3; higher powers and two functions multiplied 4; and so on. What
a textbook has a name for (saturation, Arrhenius) counts one less, what it hardly ever uses (asinh, log(1 + x)) one more. A shape parameter
counts as the constant it is. Forms with the same graph up to a, b, c and an offset (sin and cos, logistic and tanh) are told apart by nothing
but their name: they tie, and the simpler or earlier one is offered first.

Slopes stand beside their values as numbers, written to stay finite where the textbook's derivative is inf/inf; tests hold them against
the symbolic derivative of `text` and against values in 50 digits.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from workbench.exceptions import UnknownPrimitiveError, did_you_mean
from workbench.expression.functions import erf
from workbench.primitives.activations import ACTIVATIONS
from workbench.primitives.primitive import Primitive, Shape
from workbench.primitives.special import bernoulli, langevin, langevin_slope, logistic, power_slope, sinc, sinc_slope, times_log

_HALF_PI_ROOT = 2 / np.sqrt(np.pi)
_POWER = Shape("p", (0.5, 2.0, -1.0, 3.0, -2.0, 1.5), (-12.0, 12.0))
_STEEPNESS = Shape("p", (2.0, 1.0, 4.0), (0.05, 20.0))

_POWERS = (
    Primitive("x", "line", "z", 1, "none", "any", lambda z: 1.0 * z, lambda z, f: np.ones_like(z)),
    Primitive("x^2", "square", "z**2", 2, "shift", "any", lambda z: z * z, lambda z, f: 2 * z),
    Primitive("x^3", "cube", "z**3", 3, "shift", "any", lambda z: z * z * z, lambda z, f: 3 * z * z),
    Primitive("x^4", "fourth power", "z**4", 4, "shift", "any", lambda z: (z * z) ** 2, lambda z, f: 4 * z * z * z),
    Primitive("x^5", "fifth power", "z**5", 4, "shift", "any", lambda z: (z * z) ** 2 * z, lambda z, f: 5 * (z * z) ** 2),
    Primitive("1/x", "reciprocal", "1/z", 2, "shift", "nonzero", lambda z: 1 / z, lambda z, f: -f * f),
    Primitive("1/x^2", "inverse square", "1/z**2", 3, "shift", "nonzero", lambda z: 1 / (z * z), lambda z, f: -2 * f / z),
    Primitive("1/x^3", "inverse cube", "1/z**3", 3, "shift", "nonzero", lambda z: 1 / (z * z * z), lambda z, f: -3 * f / z),
    Primitive("1/x^4", "inverse fourth power", "1/z**4", 4, "shift", "nonzero", lambda z: 1 / (z * z) ** 2, lambda z, f: -4 * f / z),
    Primitive("sqrt", "square root", "sqrt(z)", 2, "shift", "nonnegative", np.sqrt, lambda z, f: 0.5 / f),
    Primitive("1/sqrt", "inverse square root", "1/sqrt(z)", 3, "shift", "positive", lambda z: 1 / np.sqrt(z), lambda z, f: -0.5 * f / z),
    Primitive("x^1.5", "power 3/2", "z**(3/2)", 3, "shift", "nonnegative", lambda z: z * np.sqrt(z), lambda z, f: 1.5 * np.sqrt(z)),
    Primitive("x^-1.5", "power -3/2", "z**(-3/2)", 3, "shift", "positive", lambda z: 1 / (z * np.sqrt(z)), lambda z, f: -1.5 * f / z),
    Primitive("cbrt", "cube root", "cbrt(z)", 3, "shift", "any", np.cbrt, lambda z, f: 1 / (3 * f * f)),
    Primitive(
        "x^p",
        "power law",
        "z**p",
        3,
        "shift",
        "nonnegative",
        lambda z, p: np.power(z, p),
        lambda z, f, p: power_slope(z, p),
        (_POWER,),
        lambda z, f, p: (times_log(f, z),),
    ),
    Primitive(
        "|x|^p",
        "power law of the distance",
        "abs(z)**p",
        4,
        "shift",
        "any",
        lambda z, p: np.power(np.abs(z), p),
        lambda z, f, p: np.sign(z) * power_slope(np.abs(z), p),
        (Shape("p", (1.5, 0.5, 3.0), (0.05, 12.0)),),
        lambda z, f, p: (times_log(f, np.abs(z)),),
    ),
    Primitive(
        "x^3+p*x",
        "cubic polynomial",
        "z**3 + p*z",
        5,
        "shift",
        "any",
        lambda z, p: z * (z * z + p),
        lambda z, f, p: 3 * z * z + p,
        (Shape("p", (-1.0, 1.0, 0.0), (-1e6, 1e6)),),
        lambda z, f, p: (1.0 * z,),
    ),
)

_EXPONENTIALS = (
    Primitive("exp", "exponential", "exp(z)", 2, "scale", "any", np.exp, lambda z, f: f),
    Primitive("log", "logarithm", "log(z)", 2, "shift", "positive", np.log, lambda z, f: 1 / z),
    Primitive("log(1+x)", "logarithm from the origin", "log1p(z)", 4, "scale", "above_minus_one", np.log1p, lambda z, f: 1 / (1 + z)),
    Primitive("log^2", "squared logarithm", "log(z)**2", 3, "both", "positive", lambda z: np.log(z) ** 2, lambda z, f: 2 * np.log(z) / z),
    Primitive("x*log", "x log x", "z*log(z)", 4, "both", "nonnegative", lambda z: times_log(z, z), lambda z, f: np.log(z) + 1),
    Primitive("x*exp(-x)", "rise and decay", "z*exp(-z)", 4, "both", "any", lambda z: z * np.exp(-z), lambda z, f: (1 - z) * np.exp(-z)),
    Primitive(
        "x^p*exp(-x)",
        "power times exponential (gamma)",
        "z**p*exp(-z)",
        5,
        "scale",
        "nonnegative",
        lambda z, p: np.power(z, p) * np.exp(-z),
        lambda z, f, p: (p * np.power(z, p - 1) - np.power(z, p)) * np.exp(-z),
        (Shape("p", (2.0, 0.5, 3.0), (0.05, 30.0)),),
        lambda z, f, p: (times_log(f, z),),
    ),
    Primitive(
        "exp(-x^p)",
        "stretched exponential",
        "exp(-z**p)",
        5,
        "scale",
        "nonnegative",
        lambda z, p: np.exp(-np.power(z, p)),
        lambda z, f, p: -power_slope(z, p) * f,
        (Shape("p", (0.5, 1.5, 3.0), (0.05, 12.0)),),
        lambda z, f, p: (-f * times_log(np.power(z, p), z),),
    ),
    Primitive("exp(-1/x)", "Arrhenius", "exp(-1/z)", 3, "scale", "nonzero", lambda z: np.exp(-1 / z), lambda z, f: f / (z * z)),
    Primitive(
        "exp(-exp(-x))",
        "Gompertz",
        "exp(-exp(-z))",
        4,
        "both",
        "any",
        lambda z: np.exp(-np.exp(-z)),
        lambda z, f: np.exp(-z - np.exp(-z)),
    ),
    Primitive(
        "(1-exp(-x))^2",
        "Morse potential",
        "(1 - exp(-z))**2",
        6,
        "both",
        "any",
        lambda z: np.expm1(-z) ** 2,
        lambda z, f: -2 * np.expm1(-z) * np.exp(-z),
    ),
    Primitive("gaussian", "Gaussian", "exp(-z**2)", 3, "both", "any", lambda z: np.exp(-z * z), lambda z, f: -2 * z * f),
    Primitive(
        "x*gaussian",
        "derivative of a Gaussian",
        "z*exp(-z**2)",
        5,
        "both",
        "any",
        lambda z: z * np.exp(-z * z),
        lambda z, f: (1 - 2 * z * z) * np.exp(-z * z),
    ),
    Primitive(
        "x^2*gaussian",
        "Maxwell distribution",
        "z**2*exp(-z**2)",
        5,
        "scale",
        "any",
        lambda z: z * z * np.exp(-z * z),
        lambda z, f: 2 * z * (1 - z * z) * np.exp(-z * z),
    ),
    Primitive(
        "lognormal",
        "Gaussian of the logarithm",
        "exp(-p*log(z)**2)",
        6,
        "scale",
        "positive",
        lambda z, p: np.exp(-p * np.log(z) ** 2),
        lambda z, f, p: -2 * p * np.log(z) / z * f,
        (Shape("p", (1.0, 0.3, 3.0), (1e-3, 1e3)),),
        lambda z, f, p: (-(np.log(z) ** 2) * f,),
    ),
    Primitive(
        "x^3/(exp(x)-1)",
        "Planck's law",
        "z**3/expm1(z)",
        6,
        "scale",
        "any",
        lambda z: z * z * bernoulli(z),
        lambda z, f: z * bernoulli(z) * (3 - bernoulli(z) - z),
    ),
    Primitive("1/(exp(x)-1)", "Bose-Einstein", "1/expm1(z)", 5, "both", "nonzero", lambda z: 1 / np.expm1(z), lambda z, f: -f * (1 + f)),
)

_WAVES = (
    Primitive("sin", "sine", "sin(z)", 2, "both", "any", np.sin, lambda z, f: np.cos(z)),
    Primitive("cos", "cosine", "cos(z)", 2, "both", "any", np.cos, lambda z, f: -np.sin(z)),
    Primitive("tan", "tangent", "tan(z)", 3, "both", "tan", np.tan, lambda z, f: 1 + f * f),
    Primitive("sin^2", "squared sine", "sin(z)**2", 3, "both", "any", lambda z: np.sin(z) ** 2, lambda z, f: np.sin(2 * z)),
    Primitive("sinc", "sin(x)/x", "sin(z)/z", 4, "both", "any", sinc, sinc_slope),
    Primitive(
        "sinc^2",
        "diffraction at a slit",
        "sin(z)**2/z**2",
        5,
        "both",
        "any",
        lambda z: sinc(z) ** 2,
        lambda z, f: 2 * sinc(z) * sinc_slope(z, sinc(z)),
    ),
    Primitive("x*sin", "growing sine", "z*sin(z)", 4, "both", "any", lambda z: z * np.sin(z), lambda z, f: np.sin(z) + z * np.cos(z)),
    Primitive(
        "exp(-p*x)*sin",
        "damped sine",
        "exp(-p*z)*sin(z)",
        6,
        "both",
        "any",
        lambda z, p: np.exp(-p * z) * np.sin(z),
        lambda z, f, p: np.exp(-p * z) * (np.cos(z) - p * np.sin(z)),
        (Shape("p", (0.1, -0.1, 0.02, 0.4), (-20.0, 20.0)),),
        lambda z, f, p: (-z * f,),
    ),
    Primitive("arcsin", "arc sine", "asin(z)", 3, "both", "unit", np.arcsin, lambda z, f: 1 / np.sqrt((1 - z) * (1 + z))),
    Primitive("arccos", "arc cosine", "acos(z)", 3, "both", "unit", np.arccos, lambda z, f: -1 / np.sqrt((1 - z) * (1 + z))),
    Primitive("arctan", "arc tangent", "atan(z)", 3, "both", "any", np.arctan, lambda z, f: 1 / (1 + z * z)),
)

_HYPERBOLIC = (
    Primitive("sinh", "hyperbolic sine", "sinh(z)", 3, "both", "any", np.sinh, lambda z, f: np.cosh(z)),
    Primitive("cosh", "hyperbolic cosine (catenary)", "cosh(z)", 3, "both", "any", np.cosh, lambda z, f: np.sinh(z)),
    Primitive("tanh", "hyperbolic tangent", "tanh(z)", 3, "both", "any", np.tanh, lambda z, f: 1 - f * f),
    Primitive("sech", "hyperbolic secant", "1/cosh(z)", 4, "both", "any", lambda z: 1 / np.cosh(z), lambda z, f: -f * np.tanh(z)),
    Primitive("sech^2", "soliton", "1/cosh(z)**2", 4, "both", "any", lambda z: 1 / np.cosh(z) ** 2, lambda z, f: -2 * f * np.tanh(z)),
    Primitive("arcsinh", "inverse hyperbolic sine", "asinh(z)", 4, "both", "any", np.arcsinh, lambda z, f: 1 / np.hypot(1, z)),
    Primitive(
        "arccosh",
        "inverse hyperbolic cosine",
        "acosh(z)",
        4,
        "both",
        "above_one",
        np.arccosh,
        lambda z, f: 1 / (np.sqrt(z - 1) * np.sqrt(z + 1)),
    ),
    Primitive("arctanh", "inverse hyperbolic tangent", "atanh(z)", 4, "both", "unit", np.arctanh, lambda z, f: 1 / ((1 - z) * (1 + z))),
    Primitive("langevin", "Langevin function", "1/tanh(z) - 1/z", 6, "scale", "any", langevin, langevin_slope),
)

_STEPS = (
    Primitive("abs", "absolute value", "abs(z)", 3, "shift", "any", np.abs, lambda z, f: np.sign(z)),
    Primitive("sign", "step", "sign(z)", 3, "shift", "any", np.sign, lambda z, f: np.zeros_like(z)),
    Primitive("logistic", "logistic", "1/(1 + exp(-z))", 4, "both", "any", logistic, lambda z, f: f * (1 - f)),
    Primitive("softplus", "softplus", "log(1 + exp(z))", 4, "both", "any", lambda z: np.logaddexp(0, z), lambda z, f: logistic(z)),
    Primitive(
        "silu",
        "SiLU (swish)",
        "z/(1 + exp(-z))",
        5,
        "both",
        "any",
        lambda z: z * logistic(z),
        lambda z, f: logistic(z) + f * (1 - logistic(z)),
    ),
    Primitive("erf", "error function", "erf(z)", 3, "both", "any", erf, lambda z, f: _HALF_PI_ROOT * np.exp(-z * z)),
)

_RATIONALS = (
    Primitive("x/(1+x)", "saturation (Michaelis-Menten)", "z/(1 + z)", 3, "scale", "above_minus_one", lambda z: z / (1 + z), lambda z, f: (1 + z) ** -2),
    Primitive(
        "x^p/(1+x^p)",
        "Hill equation",
        "1/(1 + z**(-p))",
        6,
        "scale",
        "nonnegative",
        lambda z, p: 1 / (1 + np.power(z, -p)),
        lambda z, f, p: np.where(z == 0, power_slope(z, p), p * f * (1 - f) / np.where(z == 0, 1, z)),
        (_STEEPNESS,),
        lambda z, f, p: (times_log(f * (1 - f), z),),
    ),
    Primitive("1/(1+x^2)", "Lorentzian", "1/(1 + z**2)", 4, "both", "any", lambda z: 1 / (1 + z * z), lambda z, f: -2 * z * f * f),
    Primitive("x/(1+x^2)", "dispersion curve", "z/(1 + z**2)", 5, "both", "any", lambda z: z / (1 + z * z), lambda z, f: (1 - z * z) / (1 + z * z) ** 2),
    Primitive(
        "x^2/(1+x^2)",
        "Hill equation of order 2",
        "z**2/(1 + z**2)",
        6,
        "scale",
        "any",
        lambda z: z * z / (1 + z * z),
        lambda z, f: 2 * z / (1 + z * z) ** 2,
    ),
    Primitive(
        "x/(1+x)^2",
        "impedance match",
        "z/(1 + z)**2",
        5,
        "scale",
        "above_minus_one",
        lambda z: z / (1 + z) ** 2,
        lambda z, f: (1 - z) / (1 + z) ** 3,
    ),
    Primitive(
        "x/(1+x+p*x^2)",
        "substrate inhibition (Haldane)",
        "z/(1 + z + p*z**2)",
        7,
        "scale",
        "above_minus_one",
        lambda z, p: z / (1 + z + p * z * z),
        lambda z, f, p: (1 - p * z * z) / (1 + z + p * z * z) ** 2,
        (Shape("p", (0.1, 1.0, 0.01), (0.0, 1e6)),),
        lambda z, f, p: (-z * f * f,),
    ),
    Primitive("sqrt(1+x^2)", "hyperbola", "sqrt(1 + z**2)", 5, "both", "any", lambda z: np.hypot(1, z), lambda z, f: z / f),
    Primitive("1/sqrt(1+x^2)", "inverse hyperbola", "1/sqrt(1 + z**2)", 5, "both", "any", lambda z: 1 / np.hypot(1, z), lambda z, f: -z * f**3),
    Primitive("sqrt(1-x^2)", "ellipse", "sqrt(1 - z**2)", 5, "both", "unit", lambda z: np.sqrt((1 - z) * (1 + z)), lambda z, f: -z / f),
    Primitive("1/sqrt(1-x^2)", "Lorentz factor", "1/sqrt(1 - z**2)", 5, "both", "unit", lambda z: 1 / np.sqrt((1 - z) * (1 + z)), lambda z, f: z * f**3),
    Primitive(
        "1/x^12-1/x^6",
        "Lennard-Jones potential",
        "1/z**12 - 1/z**6",
        7,
        "scale",
        "nonzero",
        lambda z: z**-6.0 * (z**-6.0 - 1),
        lambda z, f: z**-7.0 * (6 - 12 * z**-6.0),
    ),
)

LIBRARY: Mapping[str, Primitive] = MappingProxyType(
    {p.name: p for table in (_POWERS, _EXPONENTIALS, _WAVES, _HYPERBOLIC, _STEPS, _RATIONALS) for p in table}
)

_ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "linear": "x",
        "identity": "x",
        "square": "x^2",
        "power": "x^p",
        "ln": "log",
        "sigmoid": "logistic",
        "swish": "silu",
        "sgn": "sign",
        "asin": "arcsin",
        "acos": "arccos",
        "atan": "arctan",
        "asinh": "arcsinh",
        "acosh": "arccosh",
        "atanh": "arctanh",
        "exp(-x^2)": "gaussian",
        "x/(k+x)": "x/(1+x)",
        "saturation": "x/(1+x)",
        "hill": "x^p/(1+x^p)",
        "lorentzian": "1/(1+x^2)",
        "planck": "x^3/(exp(x)-1)",
        "bose": "1/(exp(x)-1)",
        "arrhenius": "exp(-1/x)",
        "gompertz": "exp(-exp(-x))",
        "morse": "(1-exp(-x))^2",
        "haldane": "x/(1+x+p*x^2)",
        "lennard-jones": "1/x^12-1/x^6",
        "x*log(x)": "x*log",
        "1/sqrt(x)": "1/sqrt",
        "sin(x)/x": "sinc",
    }
)


def find(name: str) -> Primitive:
    """Return a primitive by its name; `x**2`, `sin(x)` and well-known other names such as `sigmoid` are understood too.

    >>> find("saturation").name
    'x/(1+x)'

    Raises
    ------
    UnknownPrimitiveError : with the closest name and all that are known
    """
    plain = str(name).replace("**", "^").replace(" ", "").lower()
    for candidate in (str(name), plain, plain.removesuffix("(x)")):
        known = _ALIASES.get(candidate, candidate)
        if known in LIBRARY or known in ACTIVATIONS:
            return LIBRARY.get(known) or ACTIVATIONS[known]
    raise UnknownPrimitiveError(
        f"{name!r}: no such primitive.{did_you_mean(plain, (*LIBRARY, *ACTIVATIONS, *_ALIASES))} Known: {', '.join(LIBRARY)}. "
        "A form of your own can be typed, such as 'a*exp(-b*x)'."
    )
