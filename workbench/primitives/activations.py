"""Forms that activations of neural networks have, and laws of nature hardly ever: an edge of a KAN is not offered them, a KAT's function is.

They are found by name like those of the library (`find("gelu")`), fitted like them, and made of the same functions.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from workbench.primitives.primitive import Array, Primitive


def _normal(z: Array) -> Array:
    """Return the share of a normal distribution below z."""
    from scipy.special import ndtr  # 0.2 s to import, needed by few

    return ndtr(z)


_TABLE = (
    Primitive("relu", "ReLU (hinge)", "(z + abs(z))/2", 3, "shift", "any", lambda z: np.maximum(z, 0.0), lambda z, f: np.where(z > 0, 1.0, 0.0)),
    Primitive(
        "gelu",
        "GELU",
        "z*(1 + erf(z/sqrt(2)))/2",
        5,
        "both",
        "any",
        lambda z: z * _normal(z),
        lambda z, f: _normal(z) + z * np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi),
    ),
)

ACTIVATIONS: Mapping[str, Primitive] = MappingProxyType({primitive.name: primitive for primitive in _TABLE})
