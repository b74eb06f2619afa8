"""A network as JSON and arrays, and back: what project files and workers carry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from workbench.bases.basis import Basis
from workbench.bases.rational import Rational
from workbench.exceptions import NetworkError
from workbench.networks.kan import KAN, Layer, Node, SymbolicEdge
from workbench.primitives import form_from_json

_FAMILIES = {"rational": Rational}  # a layer that says nothing is of splines, as many as its coefficients
_ARRAYS = ("domain", "coefficients", "base", "bias", "alive", "free_bias")


def to_arrays(network: KAN) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return the structure of a network as JSON and its numbers as named arrays."""
    layers, arrays = [], {}
    for level, layer in enumerate(network.layers):
        layers.append(
            {
                "sources": list(layer.sources),
                "nodes": [{"id": node.id, "factors": list(node.factors)} for node in layer.nodes],
                "symbolic": [
                    {
                        "edge": list(key),
                        "form": snapped.form.to_json(),
                        "parameters": list(snapped.parameters),
                        "free": list(snapped.free),
                    }
                    for key, snapped in sorted(layer.symbolic.items())
                ],
                "locked": sorted(list(key) for key in layer.locked),
                **_basis_record(layer.basis),
            }
        )
        arrays |= {f"{level}.{name}": np.array(getattr(layer, name)) for name in _ARRAYS}
    return {"layers": layers}, arrays


def from_arrays(structure: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> KAN:
    """Return the network of `to_arrays`; what does not fit together is refused with a NetworkError."""
    try:
        return KAN(tuple(_layer(level, record, arrays) for level, record in enumerate(structure["layers"])))
    except (KeyError, TypeError, ValueError, IndexError) as problem:
        raise NetworkError(f"This is not a stored network: {type(problem).__name__} at {problem}.") from None


def _basis_record(basis: Basis) -> dict[str, Any]:
    return {"basis": {"family": basis.family, **asdict(basis)}} if basis.family in _FAMILIES else {}


def _basis(record: Mapping[str, Any] | None) -> Basis | None:
    if record is None:
        return None
    values = dict(record)
    return _FAMILIES[values.pop("family")](**values)


def _layer(level: int, record: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Layer:
    symbolic = {
        (int(entry["edge"][0]), int(entry["edge"][1])): SymbolicEdge(
            form_from_json(entry["form"]),
            tuple(float(v) for v in entry["parameters"]),
            tuple(bool(v) for v in entry["free"]),
        )
        for entry in record["symbolic"]
    }
    return Layer(
        sources=tuple(int(s) for s in record["sources"]),
        nodes=tuple(Node(int(n["id"]), tuple(int(f) for f in n["factors"])) for n in record["nodes"]),
        symbolic=symbolic,
        locked=frozenset((int(a), int(b)) for a, b in record["locked"]),
        basis=_basis(record.get("basis")),
        **{name: arrays[f"{level}.{name}"] for name in _ARRAYS},
    )
