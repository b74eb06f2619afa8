"""What both kinds of exports give away on the page Export: files, and predictions for a new table."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from workbench.exceptions import WorkbenchError
from workbench.ui.markdown import literal
from workbench.ui.state.export import Document, Predictions


def download(document: Document, label: str, key: str) -> None:
    """Offer a file that is written already."""
    st.download_button(label, document.content, document.name, document.mime, key=key, on_click="ignore", type="primary", icon=":material/download:")


def file_name(name: str) -> str:
    """Return a project's name as every system accepts it in a file's name.

    >>> file_name("m/s: a test?")
    'm_s_ a test_'
    """
    safe = "".join("_" if sign in '<>:"/\\|?*' or ord(sign) < 32 else sign for sign in name).strip(" .")
    return safe[:80] or "project"


def prediction(predict: Callable[[str, bytes], Predictions]) -> None:
    """Take a new table, and give it back with predictions."""
    st.subheader("Predict a new table", anchor=False)
    file = st.file_uploader("A table with the same inputs: CSV, TSV, Excel, Parquet or JSON", key="export_upload", max_upload_size=200,
                            type=["csv", "tsv", "txt", "dat", "xlsx", "xls", "parquet", "json", "npz"])  # fmt: skip
    if file is None:
        return
    try:
        with st.spinner("Predicting …"):
            found = predict(file.name, file.getvalue())
    except WorkbenchError as problem:
        st.error(literal(problem), icon=":material/error:")
        return
    if found.message:
        st.warning(literal(found.message), icon=":material/warning:")
    else:
        st.success(f"{found.predicted} rows, all inside the range of the fit.", icon=":material/check_circle:")
    st.dataframe(pd.DataFrame(found.preview, columns=list(found.columns)), hide_index=True, height=280)
    st.download_button("Download predictions.csv", found.csv, "predictions.csv", "text/csv", key="export_predictions", on_click="ignore",
                       type="primary", icon=":material/download:")  # fmt: skip
