"""The settings of a fit as a person or a recorded move gives them: by name, lists for tuples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.exceptions import DiscoveryError, did_you_mean
from workbench.training import FitConfig


def config_of(settings: Mapping[str, Any]) -> FitConfig:
    """Return the settings of a fit; what is no setting, or has no meaning as one, is answered."""
    known = FitConfig.__dataclass_fields__
    if unknown := [name for name in settings if name not in known]:
        raise DiscoveryError(f"fit({unknown[0]}=...): no such setting.{did_you_mean(unknown[0], known)} Settings: {', '.join(known)}.")
    try:
        return FitConfig(**{name: _frozen(value) for name, value in settings.items()})
    except TypeError:
        given = ", ".join(f"{name}={value!r}" for name, value in settings.items())
        raise DiscoveryError(f"fit({given}): a setting has the wrong kind of value. Sizes are tuples: hidden_layer_sizes=(5,), intervals=(5, 10).") from None


def _frozen(value: Any) -> Any:
    return tuple(_frozen(v) for v in value) if isinstance(value, (list, tuple)) else value
