"""Export of a transformer: the snapped model as plain torch, the table of its named functions, what the names cost, predictions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from workbench.ui.markdown import literal
from workbench.ui.pages.export_files import download, file_name, prediction
from workbench.ui.state.export import KATExports

TARGETS = {
    "code": ("PyTorch", "python"), "names": ("Python", "python"), "csv": ("CSV", None), "markdown": ("Markdown", "markdown"), "latex": ("LaTeX", "latex"),
}  # fmt: skip
CODE_HEIGHT = 340
PARTS = {"train": "training", "validation": "validation", "test": "test"}


def export(exports: KATExports) -> None:
    """Draw the page of a state that is a transformer."""
    st.subheader(literal(exports.project.name), anchor=False)
    with st.spinner("Reading the model …", show_time=True):
        told = exports.described()
    _proof(told)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        _code(exports)
    with right:
        _about(exports, told)
    prediction(exports.predict)


def _proof(told: Mapping[str, Any]) -> None:
    """Draw what the names cost, part by part."""
    certificate, classes = told["certificate"], told["task"] == "classification"
    with st.container(border=True, key="export_kat_proof"):
        named, total = certificate["n_named"], certificate["n_functions"]
        icon, colour = (":material/verified:", "green") if named == total else (":material/rule:", "orange")
        st.markdown(f":{colour}[{icon}] **{named} of {total} activation functions have a name.** The snapped model beside the one that was trained:")
        st.dataframe(pd.DataFrame([_row(PARTS[part], both, classes) for part, both in certificate["parts"].items()]), hide_index=True)
        shape = told["shape"]
        st.caption(f"{told['parameters']:,} parameters · {shape['tokens']} tokens and the class token · {shape['blocks']} blocks of {shape['heads']} heads "
                   f"· width {shape['width']}. No closed formula of the whole is claimed.")  # fmt: skip


def _row(part: str, both: Mapping[str, Any], classes: bool) -> dict[str, Any]:
    scale, name, unit = (100, "accuracy", " %") if classes else (1, "R²", "")
    digits = 2 if classes else 4
    return {
        "rows": f"{part} ({both['n_rows']:,})",
        f"{name} as trained": f"{scale * both['score_opened']:.{digits}f}{unit}",
        f"{name} with names": f"{scale * both['score_snapped']:.{digits}f}{unit}",
        **({"same class": f"{100 * both['same_class']:.2f} %"} if classes else {}),
        "outputs apart": f"{both['rms']:.2g}",
        "at most": f"{both['max_abs']:.2g}",
        "typical output": f"{both['output_rms']:.2g}",
    }


def _code(exports: KATExports) -> None:
    chosen = st.segmented_control(
        "Format", list(TARGETS), default="code", required=True, key="export_kat_format", label_visibility="collapsed",
        format_func=lambda target: TARGETS[target][0], wrap=True,
    )  # fmt: skip
    document = exports.document(chosen)
    st.code(document.text, language=TARGETS[chosen][1], height=CODE_HEIGHT)
    if chosen == "code":
        st.caption("A file that needs torch alone, and its weights in safetensors. Named activations stay trainable; nothing is pickled.")
        st.download_button("Download code and weights", lambda: exports.document("torch").content, document.name.replace(".py", ".zip"), "application/zip",
                           key="export_download", on_click="ignore", type="primary", icon=":material/download:")  # fmt: skip
    else:
        download(document, f"Download {document.name}", "export_download")


def _about(exports: KATExports, told: Mapping[str, Any]) -> None:
    functions, files = st.tabs(["Functions", "Files"])
    with functions:
        rows = [{"place": f["place"], "channels": f["channels"], "name": f["title"] or "–", "function of x": f["text"]} for f in told["functions"]]
        st.dataframe(pd.DataFrame(rows), hide_index=True, height=CODE_HEIGHT)
        st.caption("Every function is shared by its channels: a name holds for all of them.")
    with files:
        name = file_name(exports.project.name)
        later = {"on_click": "ignore", "width": "stretch"}
        st.download_button("The project, with all its history", exports.project_file, f"{name}.kanwb", key="export_project",
                           icon=":material/inventory_2:", **later)  # fmt: skip
        st.download_button("The decisions as a Python script", told["script"], f"{name}.py", "text/x-python", key="export_script",
                           icon=":material/code:", **later)  # fmt: skip
        st.download_button("The functions as SVG", lambda: exports.document("svg").content, f"{name}.svg", "image/svg+xml", key="export_svg",
                           icon=":material/show_chart:", **later)  # fmt: skip
        st.download_button("A report, one HTML page", lambda: exports.document("report").content, f"{name}.html", "text/html", key="export_report",
                           icon=":material/description:", **later)  # fmt: skip
        st.caption(f"Data fingerprint {told['fingerprint'][:16]}…")
