"""Export of the open project."""

import streamlit as st

from workbench.ui.navigation import link


def page() -> None:
    """Draw the page."""
    st.info("Open a project first, or drop a table on the first page.")
    link("projects", "Projects", icon=":material/folder_open:")
