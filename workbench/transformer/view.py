"""What the page shows of a transformer: its functions, figures and certificate as JSON, and the call that led to it as Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.dataset import sample_names, task_names
from workbench.export.source import clean
from workbench.figures.functions import functions_drawing
from workbench.transformer.settings import KATSettings
from workbench.transformer.transformer import Transformer


def view_of(state: Transformer) -> dict[str, Any]:
    """Return everything the page draws of a state."""
    certificate = state.certificate()
    return {
        "kind": "kat",
        **functions_drawing(state.reading),
        "metrics": state.metrics(),
        "task": state.data.task,
        "certificate": certificate.to_json(),
        "certificate_text": certificate.text,
        "inputs": _inputs_words(state),
        "code": code_of(state.move),
    }


def summary_of(state: Transformer) -> dict[str, Any]:
    """Return what the card of the project shows."""
    metrics = state.metrics()
    return {
        "target": state.data.targets[0].name, "rows": len(state.data.X), "r2": metrics["r2_validation"], "edges": metrics["n_edges"],
        "symbolic": metrics["n_symbolic"], "latex": "", "model": "kat",
    }  # fmt: skip


def code_of(move: Mapping[str, Any], variable: str = "kat") -> str:
    """Return the call that makes a move again.

    >>> code_of({"name": "snap", "arguments": {"address": ["blocks.0.mlp.act1", 2], "form": "gelu", "epochs": 1}})
    "kat = kat.snap(('blocks.0.mlp.act1', 2), 'gelu', epochs=1)"
    """
    name, arguments = move["name"], dict(move["arguments"])
    if name == "fit_kat":
        stop = arguments.pop("stop_after", None)
        default = KATSettings()
        given = {key: value for key, value in arguments.items() if getattr(default, key) != value} | ({"stop_after": stop} if stop else {})
        return f"{variable} = wb.Transformer.fit({', '.join(['data', *(f'{key}={value!r}' for key, value in given.items())])})"
    first = [repr(tuple(arguments.pop("address")))] if "address" in arguments else []
    first += [repr(arguments.pop("form"))] if "form" in arguments else []
    return f"{variable} = {variable}.{name}({', '.join([*first, *(f'{key}={value!r}' for key, value in arguments.items())])})"


def to_script(state: Transformer, moves: Sequence[Mapping[str, Any]], file: str) -> str:
    """Return the decisions that led to a state as a Python script.

    Parameters
    ----------
    moves : from the training on
    file : the project file that holds the data, where they are no sample
    """
    data = state.data
    if data.name in (*sample_names(), *task_names()):
        source = [f"data = wb.load_sample({data.name!r})"]
    else:
        source = ["# the project, saved as a file, holds its data, roles and split", f"data = wb.Transformer.load({file + '.kanwb'!r}).data"]
    lines = [
        f"# How the activations of a transformer for {clean(data.targets[0].name)} got their names", "", "import workbench as wb", "", *source,
        f"assert data.fingerprint == {data.fingerprint!r}, 'these are other data'", "", *map(code_of, moves), "print(kat.certificate().text)", "",
    ]  # fmt: skip
    return "\n".join(lines)


def _inputs_words(state: Transformer) -> dict[str, Any]:
    """Say what the model sees of a row: tokens and their names, and where they lie in an image."""
    tokens, pixels = state.module.config.tokens, state.lessons.pixels
    if pixels is None:
        return {"kind": "columns", "names": list(state.data.names)}
    return {"kind": "patches", "height": pixels.height, "width": pixels.width, "size": tokens.size}
