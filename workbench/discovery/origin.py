"""Where a discovery may begin other than with a fit of its own: the network of a fitted estimator, or a file."""

from __future__ import annotations

import os
from typing import Any

from workbench.dataset import Dataset
from workbench.discovery import storage
from workbench.discovery.discovery import Discovery
from workbench.discovery.moves import Move
from workbench.exceptions import DiscoveryError
from workbench.networks import KAN


def from_model(data: Dataset, network: KAN, roughness: float, model: str, parameters: dict[str, Any]) -> Discovery:
    """Return a discovery that begins with the network of a fitted estimator."""
    if network.n_inputs != len(data.features):
        raise DiscoveryError(
            f"The model was fitted on {network.n_inputs} inputs, the dataset has {len(data.features)}: "
            f"{', '.join(c.name for c in data.features)}. Give the dataset that the model was fitted on."
        )
    if data.transforms:
        raise DiscoveryError(
            f"The model was fitted on the values of its table, the network of this dataset sees logarithms ({', '.join(data.transforms)}). "
            "Give data.with_transforms({}), or fit here: wb.Discovery(data).fit()."
        )
    found = Discovery(data)
    return found._made(Move("model", {"estimator": model, "parameters": parameters}), (network,) * len(found.problems), roughness)


def load_discovery(path: str | os.PathLike[str]) -> Discovery:
    """Bring a discovery back from its file.

    Raises
    ------
    ProjectError : the file is damaged, foreign, or from a newer version
    """
    found = storage.load(path, Discovery)
    found.file = os.fspath(path)
    return found
