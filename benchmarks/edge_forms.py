"""25 candidate forms for one edge of 1000 points: the points of an edge that pykan fitted, the forms that both libraries have."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.peer import PykanPeer
from benchmarks.timing import Bench, Row, in_turn

GROUP = "edge_forms"
WHAT = "25 candidate forms for one edge of 1000 points"
PEER = "pykan 0.2.8, suggest_symbolic"
PLAN = [Row(WHAT, 200.0, 900.0, peer=PEER)]
FORMS = "x x^2 x^3 x^4 x^5 1/x 1/x^2 1/x^3 1/x^4 sqrt x^1.5 1/sqrt exp log abs sin cos tan tanh sign arcsin arccos arctan arctanh gaussian".split()


def rows(bench: Bench) -> list[Row]:
    """One row: all forms fitted and compared on the curve alone, on both sides."""
    if bench.pykan_python is None:
        return [replace(PLAN[0], note=bench.why_no_pykan)]
    from workbench.primitives import PrimitiveForm, find
    from workbench.snapping import Curve, fit_forms

    forms = [PrimitiveForm(find(name)) for name in FORMS]
    with PykanPeer(bench.pykan_python) as peer:
        answers = [peer.ask(do="edge") for _ in range(2)]
    x, y = (np.array(answers[0][name]) for name in ("x", "y"))
    ours = in_turn({"ours": lambda: fit_forms(Curve.of(x, y), forms)}, bench.rounds)["ours"]
    best = min(fit_forms(Curve.of(x, y), forms), key=lambda fit: fit.error)
    theirs = tuple(answers[k % len(answers)]["seconds"] for k in range(len(ours)))
    note = f"pykan's best R2 {answers[0]['r2']:.6f} ({answers[0]['best']}); ours {1 - best.error**2:.6f} ({best.form.name})"
    return [replace(PLAN[0], ours=ours, theirs=theirs, note=note)]
