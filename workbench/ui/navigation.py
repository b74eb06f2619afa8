"""The four pages, and how one gets from one to another without losing the open project.

A click on the top navigation drops `?project=` from the address; the page then takes the project from the session and
puts it back. A link that carries it wins over what the session remembers.
"""

from __future__ import annotations

from typing import Any, Literal

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from workbench.exceptions import ProjectError
from workbench.store import Project
from workbench.ui.markdown import literal
from workbench.ui.services import services

PageName = Literal["projects", "data", "workbench", "export"]
REMEMBERED = "open_project"  # key of the session


def pages() -> dict[PageName, StreamlitPage]:
    """Return the pages by name; equal addresses make equal pages, so they may be built anew in every run."""
    from workbench.ui.pages import bench, data, export, projects  # the pages link to one another through this module

    return {
        "projects": st.Page(projects.page, title="Projects", icon=":material/folder_open:", url_path="projects", default=True),
        "data": st.Page(data.page, title="Data", icon=":material/table:", url_path="data"),
        "workbench": st.Page(bench.page, title="Workbench", icon=":material/hub:", url_path="workbench"),
        "export": st.Page(export.page, title="Export", icon=":material/ios_share:", url_path="export"),
    }


def go(name: PageName, project: str | None) -> None:
    """Leave for a page."""
    st.switch_page(pages()[name], query_params=_address(project))


def link(name: PageName, label: str, project: str | None = None, **look: Any) -> None:
    """Draw a link to a page."""
    st.page_link(pages()[name], label=label, query_params=_address(project), **look)


def open_project() -> str | None:
    """Return the id of the open project, and keep it in the address."""
    project = st.query_params.get("project") or st.session_state.get(REMEMBERED)
    if project:
        st.session_state[REMEMBERED] = project
        if st.query_params.get("project") != project:
            st.query_params["project"] = project
    return project


def require_project() -> Project | None:
    """Return the open project; where there is none, say so, show the way to the list, and return None."""
    project = open_project()
    if project:
        try:
            found = services().store.projects.get(project)
        except ProjectError as problem:
            forget_project()
            st.warning(literal(problem), icon=":material/folder_off:")
        else:
            if found.deleted is None:
                return found
            st.warning(f"{literal(found.name)} is in the trash. Take it back on the page Projects.", icon=":material/delete:")
    else:
        st.info("Open a project first, or drop a table on the first page.", icon=":material/folder_open:")
    link("projects", "Projects", icon=":material/folder_open:")
    return None


def forget_project() -> None:
    """Close the open project: neither the session nor the address names it afterwards."""
    st.session_state.pop(REMEMBERED, None)
    st.query_params.pop("project", None)


def _address(project: str | None) -> dict[str, str]:
    return {"project": project} if project else {}
