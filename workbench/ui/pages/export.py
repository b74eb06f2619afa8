"""Export of the open project: the formula with its proof, in ten languages; plots; predictions for a new table."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from workbench.exceptions import WorkbenchError
from workbench.ui.markdown import literal
from workbench.ui.navigation import go, require_project
from workbench.ui.pages import export_kat
from workbench.ui.pages.export_files import download, file_name, prediction
from workbench.ui.pages.export_plots import plots
from workbench.ui.services import services
from workbench.ui.state.export import Exports, KATExports, Wish

LANGUAGES = {
    "latex": ("LaTeX", "latex"), "python": ("Python", "python"), "numpy": ("NumPy", "python"), "sympy": ("SymPy", "python"), "c": ("C", "c"),
    "julia": ("Julia", "julia"), "matlab": ("MATLAB", "matlab"), "excel": ("Excel", None), "json": ("JSON", "json"), "report": ("Report", None),
}  # fmt: skip
WITHOUT_CODE = {
    "excel": "A workbook that computes the formula: type inputs, read the result. It opens in Excel and LibreOffice.",
    "report": "One HTML page about the whole discovery: formula, proof, network, plots, decisions. It loads nothing from elsewhere.",
}
DECIMALS = {"as fitted": None, "2": 2, "3": 3, "4": 4, "6": 6}
LONGEST_CODE = 60_000  # characters shown; the download has all
CODE_HEIGHT = 300


def page() -> None:
    """Draw the page."""
    project = require_project()
    if project is None:
        return
    exports = Exports(services(), project.id, st.session_state.setdefault("exports", OrderedDict()))
    if exports.state is None:
        st.info("There is no network yet, so there is nothing to export. Fit one on the page Data.", icon=":material/info:")
        if st.button("Choose columns and fit", type="primary", icon=":material/table:"):
            go("data", project.id)
        return
    try:
        if exports.state.view.get("kind") == "kat":
            export_kat.export(KATExports(services(), project.id, st.session_state["exports"]))
        else:
            _export(exports)
    except WorkbenchError as problem:
        st.error(literal(problem), icon=":material/error:")
        st.button("Try again", key="export_again")


def _export(exports: Exports) -> None:
    wish = _wish(exports)
    with st.spinner("Reading the formula …", show_time=True):
        told = exports.formula(wish)
    _formula(told)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        _languages(exports, wish)
    with right:
        _about(exports, told, wish)
    plots(told)
    prediction(lambda name, content: exports.predict(name, content, wish))


def _wish(exports: Exports) -> Wish:
    """Draw the head of the page, and return how constants are wanted."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.subheader(literal(exports.project.name), anchor=False, width="stretch")
        decimals = st.segmented_control("Decimals", list(DECIMALS), default="as fitted", required=True, key="export_decimals")
        nice = st.toggle("Plain constants", key="export_nice", help="Integers, fractions, multiples of π and e, where the data cannot tell the difference")
    return Wish(DECIMALS[decimals], nice)


def _formula(told: Mapping[str, Any]) -> None:
    with st.container(border=True, key="export_formula"):
        if told["latex"]:
            st.latex(told["latex"])
        else:
            st.caption(f"The formula has {told['complexity']} parts, too many to be set here. Every export below has all of it.")
        _certificate(told)
    if told["unnamed"]:
        count = len(told["unnamed"])
        one, many = ("1 edge has no name yet and stands", "it"), (f"{count} edges have no name yet and stand", "each")
        words, them = one if count == 1 else many
        st.caption(f"{words} as φ in the formula; the exports define {them} exactly.")


def _certificate(told: Mapping[str, Any]) -> None:
    certificate = told["certificate"]
    icon, colour = (":material/verified:", "green") if certificate and certificate["exact"] else (":material/rule:", "orange")
    st.markdown(f":{colour}[{icon}] {literal(told['certificate_text'])}")


def _languages(exports: Exports, wish: Wish) -> None:
    chosen = st.segmented_control(
        "Language", list(LANGUAGES), default="python", required=True, key="export_language", label_visibility="collapsed",
        format_func=lambda target: LANGUAGES[target][0], wrap=True,
    )  # fmt: skip
    language = LANGUAGES[chosen][1]
    if chosen in WITHOUT_CODE:
        st.info(WITHOUT_CODE[chosen])
        _download_later(exports, chosen, wish)
        return
    document = exports.document(chosen, wish)
    shown = document.text
    st.code(shown[:LONGEST_CODE], language=language, height=CODE_HEIGHT if shown.count("\n") > 11 else "content")
    if len(shown) > LONGEST_CODE:
        st.caption(f"The first {LONGEST_CODE:,} of {len(shown):,} characters; the file has all.")
    download(document, f"Download {document.name}", "export_download")


def _download_later(exports: Exports, target: str, wish: Wish) -> None:
    """A file that is written when it is asked for."""
    names = {"excel": ("formula.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"), "report": ("report.html", "text/html")}
    name, mime = names[target]
    st.download_button(f"Download {LANGUAGES[target][0]}", lambda: exports.document(target, wish).content, name, mime, key="export_download",
                       on_click="ignore", type="primary", icon=":material/download:")  # fmt: skip


def _about(exports: Exports, told: Mapping[str, Any], wish: Wish) -> None:
    """Draw constants, ranges and the other files."""
    constants, ranges, shorter, files = st.tabs(["Constants", "Range of validity", "Shorter", "Files"])
    with shorter:
        _shorter(exports, told, wish)
    with constants:
        _constants(told)
    with ranges:
        rows = [{"input": r["name"], "unit": r["unit"], "from": r["low"], "to": r["high"]} for r in told["ranges"]]
        st.dataframe(pd.DataFrame(rows), hide_index=True)
        st.caption("The formula was fitted inside these ranges. Outside them it is an extrapolation, and predictions say so.")
    with files:
        name = file_name(exports.project.name)
        script = told["script"]
        later = {"on_click": "ignore", "width": "stretch"}
        st.download_button("The project, with all its history", exports.project_file, f"{name}.kanwb", key="export_project",
                           icon=":material/inventory_2:", **later)  # fmt: skip
        st.download_button("The decisions as a Python script", script, f"{name}.py", "text/x-python", key="export_script",
                           icon=":material/code:", **later)  # fmt: skip
        st.download_button("The drawing as SVG", lambda: exports.document("svg", wish).content, f"{name}.svg", "image/svg+xml",
                           key="export_svg", icon=":material/hub:", **later)  # fmt: skip
        st.caption(f"Data fingerprint {told['fingerprint'][:16]}…")


def _shorter(exports: Exports, told: Mapping[str, Any], wish: Wish) -> None:
    """Look for a shorter form of the same formula when it is asked for."""
    st.caption("Algebra may write the same formula shorter. A form is believed only when its numbers agree on the range and a little beyond.")
    if not st.button("Look for a shorter form", key="export_shorter", icon=":material/compress:"):
        return
    with st.spinner("Rewriting …", show_time=True):
        found = exports.shorter(wish)
    after = sum(output["complexity"] for output in found["outputs"])
    if after >= told["complexity"]:
        st.caption(f"None found: {told['complexity']} symbols are the shortest known.")
        return
    st.caption(f"{told['complexity']} symbols became {after}.")
    for output in found["outputs"]:
        st.latex(f"{output['latex']}")
        st.code(f"{output['symbol']} = {output['text']}", language="python", wrap_lines=True)


def _constants(told: Mapping[str, Any]) -> None:
    rows = [
        {
            **({"group": c["group"]} if c["group"] else {}), "value": f"{c['value']:.6g}", "from": _figure(c["low"], c["known"]),
            "to": _figure(c["high"], c["known"]), "unit": c["unit"],
        }
        for c in told["constants"]
    ]  # fmt: skip
    if rows:
        st.dataframe(pd.DataFrame(rows), hide_index=True)
        st.caption("95 % intervals, all constants free at once. An open interval: these data do not determine the constant.")
    else:
        st.caption("No free constants." if not told["unnamed"] else "Only constants inside functions without a name: name the edges first.")
    if told["replacements"]:
        st.markdown("**Plain constants that were tried**, and what each costs")
        tried = [
            {"fitted": f"{r['value']:.6g}", "plain": r["exact"], "RMSE": _cost(r["cost"]), "taken": r["applied"]} for r in told["replacements"]
        ]
        st.dataframe(pd.DataFrame(tried), hide_index=True)


def _figure(value: float | None, known: bool) -> str:
    return f"{value:.6g}" if known and value is not None else "–"


def _cost(value: float | None) -> str:
    return "undefined" if value is None else f"{value:+.2g}"
