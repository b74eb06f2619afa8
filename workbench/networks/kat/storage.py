"""A transformer as JSON and arrays, and back: what project files and workers carry.

    {"config": {"tokens": {"kind": "patches", "height": 8, "width": 8, "size": 4, "channels": 1}, "n_outputs": 10, "width": 48, ...},
     "names": {"blocks.0.mlp.act1": {"2": {"form": {...}, "free": [true, true, true, true]}}}}

What comes back is believed only as far as it fits together: sizes have limits, and every array must have the shape that the shape of the model says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import torch

from workbench.exceptions import NetworkError, WorkbenchError
from workbench.networks.kat.snapped import Name, SnappedRational
from workbench.networks.kat.tokens import Columns, Patches, Steps
from workbench.networks.kat.transformer import KAT, KATConfig
from workbench.primitives import form_from_json

_KINDS = {"columns": Columns, "patches": Patches, "steps": Steps}
_MOST_BLOCKS, _LARGEST = 100, 1 << 16  # of a foreign file: room is made for what it says before its arrays are looked at


def to_arrays(module: KAT) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return the structure of a transformer as JSON and its numbers as named arrays."""
    names = {
        path: {str(group): {"form": form, "free": list(free)} for group, (form, free) in part.records.items()}
        for path, part in module.named_modules()
        if isinstance(part, SnappedRational)
    }
    kind = next(kind for kind, made in _KINDS.items() if isinstance(module.config.tokens, made))
    config = {**asdict(module.config), "tokens": {"kind": kind, **asdict(module.config.tokens)}}
    return {"config": config, "names": names}, {name: values.detach().cpu().numpy() for name, values in module.state_dict().items()}


def from_arrays(described: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> KAT:
    """Return the transformer of `to_arrays`; what does not fit together is refused with a NetworkError."""
    try:
        with torch.device("meta"):
            module = KAT(_config(described["config"]))
            for path, names in described["names"].items():
                _name(module, path, names)
        shapes = {name: tuple(values.shape) for name, values in module.state_dict().items()}
        given = {name: tuple(np.shape(values)) for name, values in arrays.items()}
        if shapes != given:
            raise ValueError(f"the arrays {sorted(set(shapes.items()) ^ set(given.items()))[:2]} do not fit")
        module = module.to_empty(device="cpu")
        module.load_state_dict({name: torch.tensor(np.asarray(values)) for name, values in arrays.items()})
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, RuntimeError, WorkbenchError) as problem:
        raise NetworkError(f"This is not a stored transformer: {type(problem).__name__}, {problem}") from None
    return module.eval()


def _config(described: Mapping[str, Any]) -> KATConfig:
    given = dict(described)
    tokens = dict(given.pop("tokens"))
    kind = _KINDS[tokens.pop("kind")]
    sizes = [*(size for size in tokens.values() if size is not None), *(given[name] for name in ("n_outputs", "width", "n_heads", "expansion", "n_groups"))]
    if not all(isinstance(size, int) and 0 < size <= _LARGEST for size in sizes) or not 0 < given["depth"] <= _MOST_BLOCKS:
        raise ValueError("a size is not among those that can be")
    return KATConfig(kind(**tokens), **given)


def _name(module: KAT, path: str, names: Mapping[str, Any]) -> None:
    """Put named functions where they stand, on the meta device: their numbers come with all others."""
    place = module.get_submodule(path)
    made = {}
    for group, record in names.items():
        form = form_from_json(record["form"])
        free = tuple(bool(one) for one in record["free"])
        if len(free) != len(form.parameter_names) + 1:
            raise ValueError(f"{form.name!r} has {len(form.parameter_names)} constants and an offset")
        made[int(group)] = Name(form, (0.0,) * len(free), free)
    parent, _, own = path.rpartition(".")
    setattr(module.get_submodule(parent), own, SnappedRational(place, place.n_groups, made, place.weight_numerator))
