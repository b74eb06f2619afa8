"""Projects: everything that was ever begun, the last touched first."""

import time

import streamlit as st

from workbench.store import Project
from workbench.ui.services import services


def page() -> None:
    """Draw the page."""
    st.subheader("Projects", anchor=False)
    found = services().store.projects.all()
    if not found:
        st.caption("No project yet. Everything stays on this machine.")
        return
    grid = st.grid("auto", min_column_width=240, border=True)
    for project in found:
        with grid.cell():
            _card(project)


def _card(project: Project) -> None:
    st.text(project.name)  # a person's own text: never read as Markdown
    st.caption(time.strftime("%d %b %Y %H:%M", time.localtime(project.updated)))
