"""What a person waits for: candidates of an edge judged by the refitted whole model, snap with refit, undo."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from benchmarks.timing import Bench, Row

GROUP = "interactive"
PLAN = [
    Row("all candidates of one edge of a fitted [4,5,1], ranked by the refitted whole model, 1000 rows", 1.0, 0.3),
    Row("snap + refit of that model", 0.150, 0.050),
    Row("undo of that snap", 0.020, 0.005),
]


def table(n_rows: int = 1000, noise: float = 0.01, seed: int = 0) -> dict[str, np.ndarray]:
    """Return exp(sin(pi a) + b^2) + c d with noise of a hundredth of its spread, inputs uniform on [-1, 1]."""
    generator = np.random.default_rng(seed)
    a, b, c, d = generator.uniform(-1, 1, (4, n_rows))
    y = np.exp(np.sin(np.pi * a) + b**2) + c * d
    return {"a": a, "b": b, "c": c, "d": d, "y": y + noise * y.std() * generator.normal(size=n_rows)}


def rows(bench: Bench) -> list[Row]:
    """Candidates of every edge of the first layer; snap and undo on the edge that matters most."""
    import pandas as pd

    import workbench as wb

    found = wb.Discovery(wb.Dataset.from_table(pd.DataFrame(table()), target="y")).fit(hidden_layer_sizes=(5,))
    edges = sorted(found.edges, key=lambda edge: -edge.importance)
    bench.say(f"fitted: R2 {found.metrics.r2_validation:.5f}, {found.metrics.n_edges} edges")
    asked = [_timed(lambda edge=edge: found.candidates(edge.index)) for edge in (edges * 2)[: max(bench.rounds, 5) + 1]][1:]
    ranked = found.candidates(edges[0].index)
    note = f"{len(ranked)} forms, {sum(choice.refitted for choice in ranked)} of them refitted with the whole model"
    name, snaps, undos = next(choice.name for choice in ranked if choice.refitted), [], []
    for _ in range(bench.rounds + 1):
        snaps.append(_timed(lambda: found.snap(edges[0].index, name)))
        undos.append(_timed(found.undo))
    snapped = f"Discovery.snap to {name}: form fitted, model refitted, measured, recorded"
    samples, notes = (tuple(asked), tuple(snaps[1:]), tuple(undos[1:])), (note, snapped, "")
    return [replace(row, ours=ours, note=words) for row, ours, words in zip(PLAN, samples, notes)]


def _timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
