"""A discovery that nobody sees, made once when a worker starts: afterwards all that a person asks for is loaded and has been run.

A compiled kernel is read from its cache when it is first called, and modules are imported where they are first needed. That is half a
second in all, and without the rehearsal the first click on an edge would wait for it.
"""

from __future__ import annotations

import numpy as np


def rehearse() -> None:
    """Fit a small network, rank forms for an edge, snap it, and write what the pages show of it."""
    from workbench.dataset import Dataset
    from workbench.discovery import Discovery
    from workbench.discovery.inspection import inspect, previews
    from workbench.export import write_export
    from workbench.worker import exporting
    from workbench.worker.desk import view

    u = np.linspace(-1.0, 1.0, 211)  # above 200 rows some are kept for checking, as in most tables
    data = Dataset.from_table({"u": u, "v": u[::-1] ** 3, "w": np.exp(u) + u}, target="w")
    found = Discovery(Dataset.from_arrays(*data.to_arrays()))  # as the store gives it
    found.fit(hidden_layer_sizes=(2,), max_iter=3)
    edge = found.network.edges()[0]
    inspect(found, edge, previews(found, edge))
    inspect(found, edge, found.candidates(edge, library=("sin", "x^p")))
    found.snap(edge, "sin")
    view(found)
    exporting.described(found, {})
    write_export(found, "python", found.formula())
    found.fit(hidden_layer_sizes=(), basis="rational", max_iter=1, n_starts=1)  # kernels of its own
