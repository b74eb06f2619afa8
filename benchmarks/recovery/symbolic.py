"""Is the difference zero for algebra as well? SymPy is asked in a process of its own, which is killed when it takes too long.

Points have refuted what they could before anybody asks here, so the answer is "yes", with a proof, or "undecided". Constants are read back as what they stand
for, within a hundred-millionth: 0.3333333333 as 1/3, 2.500000001 as 5/2, 6.283185307 as 2 pi. Both formulas travel as text and are parsed by our own parser.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Collection
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from workbench.expression import Expression, Number, free_constants, nearest_exact, parse, to_sympy, with_constants

if TYPE_CHECKING:
    import sympy

Proof = Literal["yes", "undecided"]

SECONDS = 15.0
MEMORY = 3 * 2**30  # bytes of address space; an expansion that wants more is given up
CLOSE = 1e-8  # relative


def proved(found: Expression, truth: Expression, positive: Collection[str] = (), seconds: float = SECONDS) -> Proof:
    """Ask for a proof that two formulas are the same; `positive` names the variables known to be above zero."""
    question = json.dumps({"found": str(found), "truth": str(truth), "positive": sorted(positive)})
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.recovery.symbolic"]
    try:
        answer = subprocess.run(command, input=question, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return "undecided"
    return "yes" if answer.returncode == 0 and answer.stdout.strip() == "yes" else "undecided"


def readable(expression: Expression) -> Expression:
    """Return the expression with each float read as the exact constant or the short decimal it is close to.

    >>> str(readable(parse("0.33333333333*x + 26.8000000001")))
    'x/3 + 134/5'
    """
    return with_constants(expression, [_read(value) for value in free_constants(expression)])


def _read(value: float) -> Expression | Fraction | float:
    tolerance = CLOSE * abs(value)
    exact = nearest_exact(value, tolerance)
    if exact is not None and (exact != Number(0) or value == 0):
        return exact
    near = (Fraction(value).limit_denominator(1000), Fraction(f"{value:.6g}"))
    return next((fraction for fraction in near if abs(float(fraction) - value) <= tolerance), value)  # a false reading proves nothing false


def _zero(difference: sympy.Expr) -> bool:
    """Try the ways to zero from the cheapest to the dearest."""
    import sympy

    for step in (sympy.expand, sympy.ratsimp, lambda d: sympy.expand_log(sympy.powdenest(d, force=True), force=True), sympy.trigsimp, sympy.simplify):
        try:
            if step(difference) == 0:
                return True
        except (sympy.PolynomialError, NotImplementedError, RecursionError, TypeError, ValueError):
            continue  # this way leads nowhere for such a formula
    return difference.equals(0) is True


def _answer(question: dict) -> Proof:
    import sympy

    names = question["positive"]
    known = {sympy.Symbol(name, real=True): sympy.Symbol(name, positive=True) for name in names}
    found, truth = (to_sympy(readable(parse(question[which]))).xreplace(known) for which in ("found", "truth"))
    return "yes" if _zero(found - truth) else "undecided"


def _bounded() -> None:
    """Give the process a roof for its memory, where the system knows one."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


if __name__ == "__main__":
    _bounded()
    print(_answer(json.load(sys.stdin)))
