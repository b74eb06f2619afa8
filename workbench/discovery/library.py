"""What a person allows: functions by their name, and with them the forms an edge may take.

    ("exp", "log")    sums, products and powers are always allowed; so are x^2, 1/x, exp(-1/x) and x*log, and no form with a sine

A name may also be that of a form, which is then allowed whatever it is made of.
"""

from __future__ import annotations

from collections.abc import Sequence

from workbench.exceptions import UnknownPrimitiveError, did_you_mean
from workbench.expression import FUNCTIONS, Call, walk
from workbench.primitives import LIBRARY


def allowed_forms(functions: Sequence[str] | None) -> tuple[str, ...] | None:
    """Return the forms of the library that need no other functions; None where all are allowed.

    >>> forms = allowed_forms(["exp"])
    >>> "x^2" in forms, "gaussian" in forms, "sin" in forms
    (True, True, False)
    """
    if functions is None:
        return None
    from workbench.search.native.judging.judge import functions_of

    _refuse_unknown(functions)
    allowed = frozenset(functions)
    return tuple(name for name, form in LIBRARY.items() if name in allowed or functions_of(form.expression) <= allowed)


def allowed_functions(functions: Sequence[str] | None) -> frozenset[str] | None:
    """Return the functions that a whole formula may use, those that the forms named are made of among them; None where all are allowed.

    >>> sorted(allowed_functions(["gaussian", "arcsin", "log"]))
    ['asin', 'exp', 'log']
    """
    if functions is None:
        return None
    _refuse_unknown(functions)
    own = {name for name in functions if name in FUNCTIONS}
    trees = [LIBRARY[name].expression for name in functions if name in LIBRARY]
    return frozenset(own | {node.function for tree in trees for node in walk(tree) if isinstance(node, Call) and node.function in FUNCTIONS})


def _refuse_unknown(functions: Sequence[str]) -> None:
    known = {*FUNCTIONS, *LIBRARY}
    if unknown := [name for name in functions if name not in known]:
        hint = did_you_mean(unknown[0], known)
        raise UnknownPrimitiveError(f"functions={list(functions)!r}: there is no function {unknown[0]!r}.{hint} Known: {', '.join(FUNCTIONS)}.")
