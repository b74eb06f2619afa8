"""The dialog about this machine: what is there, how to get what is not, and Julia for PySR by a button."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from workbench.exceptions import WorkbenchError
from workbench.ui.markdown import literal
from workbench.ui.state.machine import COST, Setup, findings


@st.dialog("This machine", width="large")
def machine() -> None:
    """Draw the dialog."""
    try:
        with st.spinner("Looking …"):
            found = findings()
    except WorkbenchError as problem:
        st.error(literal(problem), icon=":material/error:")
        return
    rows = [{"": each.name, "state": each.state, "what": each.detail, "how to get it": each.remedy} for each in found]
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch")
    if any(each.name == "PySR" and each.state == "absent" for each in found):
        _julia()


def _julia() -> None:
    st.markdown("**Julia for PySR**")
    st.caption(COST)
    running: Setup | None = st.session_state.get("julia_setup")
    if running is None or (not running.running and running.failed):
        if st.button("Set up Julia", key="set_up_julia", icon=":material/download:"):
            st.session_state["julia_setup"] = running = Setup()
    if running is None:
        return
    if running.failed:
        st.error("The set-up ended with an error. What it said last:", icon=":material/error:")
    elif running.running:
        st.info("It is being set up; this dialog may be closed. Open it again to see how far it is.", icon=":material/hourglass_top:")
    st.code(running.said or "…", language=None, wrap_lines=True)
