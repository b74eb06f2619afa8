"""What the page Export shows and gives away of a transformer."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from workbench.export import Written, names, torch_module
from workbench.export.kat_report import kat_report
from workbench.export.torch_module import TorchModule
from workbench.figures.functions import functions_drawing
from workbench.figures.functions_svg import functions_svg
from workbench.store import Step
from workbench.table import Table
from workbench.transformer.transformer import Transformer
from workbench.transformer.view import code_of, to_script
from workbench.worker.exporting import Predicted, joined

_TABLES = {
    "csv": ("functions.csv", "text/csv", names.to_csv),
    "markdown": ("functions.md", "text/markdown", names.to_markdown),
    "latex": ("functions.tex", "application/x-tex", names.to_latex_table),
    "names": ("functions.py", "text/x-python", names.to_python),
}


def described(state: Transformer, path: Sequence[Step], project: str) -> dict[str, Any]:
    """Describe a state: certificate, scores, functions, script."""
    certificate, data = state.certificate(), state.data
    config = state.module.config
    return {
        "certificate": certificate.to_json(),
        "certificate_text": certificate.text,
        "metrics": state.metrics(),
        "task": data.task,
        "functions": [
            {"place": f.place, "channels": f.channels, "name": f.name, "title": f.title, "text": f.text} for f in names.functions_of(state.reading)
        ],
        "parameters": sum(parameter.numel() for parameter in state.module.parameters()),
        "shape": {"tokens": config.tokens.n_tokens, "width": config.width, "blocks": config.depth, "heads": config.n_heads},
        "target": data.targets[0].name,
        "fingerprint": data.fingerprint,
        "script": to_script(state, [step.move for step in path], project),
    }


def written(state: Transformer, target: str, path: Sequence[Step] = (), project: str = "") -> Written:
    """Return an export as a file.

    Parameters
    ----------
    target : "torch", the module as a ZIP of code and weights; "code", its code alone; "csv", "markdown", "latex" or "names", a table of the functions;
        "svg", a drawing of them; "report", one HTML page
    path, project : the steps that led to the state, and the project's name, for the report
    """
    if target == "svg":
        return Written("functions.svg", "image/svg+xml", functions_svg(functions_drawing(state.reading)).encode())
    if target == "report":
        script = to_script(state, [step.move for step in path], project)
        decisions = [(step.label, code_of(step.move)) for step in path]
        page = kat_report(state.reading, state.data, state.certificate(), decisions, script, datetime.now().astimezone())
        return Written("report.html", "text/html", page.encode())
    if target in _TABLES:
        name, mime, write = _TABLES[target]
        return Written(name, mime, write(names.functions_of(state.reading)).encode())
    module = torch_code(state)
    stem = f"kat_{state.data.targets[0].symbol}"
    if target == "code":
        return Written(f"{stem}.py", "text/x-python", module.code.encode())
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{stem}.py", module.code)
        archive.writestr(f"{stem}.safetensors", module.weights)
        archive.writestr("functions.csv", names.to_csv(names.functions_of(state.reading)))
    return Written(f"{stem}.zip", "application/zip", packed.getvalue())


def torch_code(state: Transformer) -> TorchModule:
    """Return a state as a plain torch module in text."""
    data, pixels = state.data, state.lessons.pixels
    inputs = list(data.names)
    if pixels is not None:
        inputs = [data.names[place] if place >= 0 else f"always {ground:g}" for place, ground in zip(pixels.places, pixels.ground, strict=True)]
    logs = [f"{name} is given and predicted as its natural logarithm." for name in data.transforms]
    about = [f"{', '.join(data.target_names)} by a Kolmogorov-Arnold transformer, read by KAN Workbench.", "", state.certificate().text, *logs]
    return torch_module.write(state.reading, about, data.classes, inputs)


def predicted(state: Transformer, table: Table) -> Predicted:
    """Predict every row of a new table; a row without all inputs gets none, a row outside the range of the fit is marked."""
    found = state.predict(table)
    return joined(table, found.columns, found.outside, {"predicted": int(found.complete.sum()), "message": found.message, "notes": []})
