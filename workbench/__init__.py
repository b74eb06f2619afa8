"""KAN Workbench: from a table to a certified formula.

    import workbench as wb

    data = wb.load_sample("cherry_trees")
    best = wb.discover(data, time_budget=60, random_state=0)
    print(best.formula())

Every public name is listed in `__all__`. A name is imported when it is first used, so that `import workbench` costs next to nothing and
brings in neither torch nor scikit-learn nor SymPy (PEP 562).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from workbench.activations import open_kat
    from workbench.dataset import Dataset, load_sample, sample_names
    from workbench.discovery import Discovery, discover, load_discovery
    from workbench.estimator import KANClassifier, KANRegressor, KATClassifier, KATRegressor
    from workbench.exceptions import WorkbenchError
    from workbench.formula import Formula
    from workbench.table import Table, read_table
    from workbench.transformer import Transformer

_HOME = {
    "Table": "table",
    "read_table": "table",
    "Dataset": "dataset",
    "load_sample": "dataset",
    "sample_names": "dataset",
    "KANRegressor": "estimator",
    "KANClassifier": "estimator",
    "KATRegressor": "estimator",
    "KATClassifier": "estimator",
    "open_kat": "activations",
    "Discovery": "discovery",
    "discover": "discovery",
    "load_discovery": "discovery",
    "Transformer": "transformer",
    "Formula": "formula",
    "WorkbenchError": "exceptions",
}

__all__ = [
    "Table",
    "read_table",
    "Dataset",
    "load_sample",
    "sample_names",
    "KANRegressor",
    "KANClassifier",
    "KATRegressor",
    "KATClassifier",
    "open_kat",
    "Discovery",
    "discover",
    "load_discovery",
    "Transformer",
    "Formula",
    "WorkbenchError",
    "__version__",
]


def __getattr__(name: str) -> object:
    """Import a public name from its module when it is first asked for, and keep it."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}. Public names: {', '.join(__all__)}.")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Offer the public names to completion before any of them is imported."""
    return sorted({*globals(), *__all__})
