"""Projects: drop a table, open a sample, and everything that was ever begun, the last touched first."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from workbench.dataset import Sample, SampleTask
from workbench.exceptions import WorkbenchError
from workbench.ui.markdown import literal
from workbench.ui.navigation import go
from workbench.ui.pages.machine import machine
from workbench.ui.services import services
from workbench.ui.state.projects import Card, Projects, sentence

LARGEST = 200  # MB
SHOWN = 48  # cards at first
MENU = {"Rename": ":material/edit:", "Duplicate": ":material/content_copy:", "Save as file": ":material/download:", "Delete": ":material/delete:"}
JOB_COLOURS = {"queued": "blue", "running": "blue", "paused": "orange", "failed": "red", "interrupted": "orange"}


def page() -> None:
    """Draw the page."""
    projects = Projects(services())
    cards = projects.cards()
    if cards:
        st.subheader("Projects", anchor=False)
    else:
        _welcome()
    _upload(projects)
    _undo_delete(projects)
    if cards:
        _list(projects, cards)
    _samples(projects, open_at_first=not cards)
    _trash(projects)
    if st.button("This machine", key="machine", type="tertiary", icon=":material/memory:", help="What it offers, and how to get what it lacks"):
        machine()


def _welcome() -> None:
    st.header("From a table to its law", anchor=False)
    st.markdown(
        "Drop a table of measurements. A Kolmogorov–Arnold network learns it, every edge a curve you can look at; name the curves, "
        "and what is left is a formula, with a proof of how well it holds."
    )


def _upload(projects: Projects) -> None:
    """Read what was dropped. The widget's file is forgotten at once; what was refused is not read again."""
    done = st.session_state.setdefault("uploads_done", 0)
    file = st.file_uploader(
        "A table (CSV, TSV, Excel, Parquet, JSON, NumPy) or a project file (.kanwb). It stays on this machine.",
        max_upload_size=LARGEST,
        key=f"upload-{done}",
    )
    if file is None:
        return
    refused = st.session_state.setdefault("refused_uploads", {})
    if file.file_id not in refused:
        project = _read(projects, file, refused)
        if project is not None:
            st.session_state["uploads_done"] = done + 1
            go("data", project)
    st.error(refused[file.file_id], icon=":material/error:")


def _read(projects: Projects, file: UploadedFile, refused: dict[str, str]) -> str | None:
    try:
        with st.spinner(f"Reading {literal(file.name)} …"):
            return projects.open_file(file.name, file.getvalue())
    except WorkbenchError as problem:
        refused[file.file_id] = literal(sentence(problem, file.name))
        return None


def _list(projects: Projects, cards: tuple[Card, ...]) -> None:
    grid = st.grid("auto", min_column_width=300, gap="medium")
    shown = len(cards) if st.session_state.get("all_projects") else SHOWN
    for card in cards[:shown]:
        with grid.cell():
            _card(projects, card)
    if len(cards) > shown:
        st.button(f"Show all {len(cards)}", key="show_all", on_click=lambda: st.session_state.update(all_projects=True))


def _card(projects: Projects, card: Card) -> None:
    with st.container(border=True, key=f"project-{card.id}", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="top", gap="small", wrap=False):
            if st.button(f"**{literal(card.name)}**", key=f"open-{card.id}", type="tertiary", width="stretch"):
                go("workbench" if card.stage in ("fitted", "formula") else "data", card.id)
            chosen = st.menu_button("More", list(MENU), key=f"menu-{card.id}", type="tertiary", format_func=lambda name: f"{MENU[name]} {name}")  # fmt: skip
        if card.latex:
            st.latex(card.latex)
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            _badges(card)
        st.caption(" · ".join(part for part in (literal(card.facts), card.age) if part))
    _menu(projects, card, chosen)


def _badges(card: Card) -> None:
    if card.r2 is not None:
        st.badge(f"{card.score} {card.r2:.4f}", color="green" if card.r2 > 0.9 else "gray", help="On rows that were not fitted")
    if card.progress:
        st.badge(card.progress, color="violet" if card.stage == "formula" else "gray")
    if card.stage == "data":
        st.badge("not fitted yet", color="gray")
    if card.job is not None and card.job.status != "done":
        st.badge(literal(card.job.text), color=JOB_COLOURS.get(card.job.status, "gray"), help=literal(card.job.detail) or None)


def _menu(projects: Projects, card: Card, chosen: str | None) -> None:
    if chosen == "Rename":
        _rename(projects, card)
    elif chosen == "Duplicate":
        projects.duplicate(card.id)
        st.rerun()
    elif chosen == "Save as file":
        _save(projects, card)
    elif chosen == "Delete":
        projects.delete(card.id)
        st.session_state["just_deleted"] = (card.id, card.name)
        st.rerun()


@st.dialog("Rename the project")
def _rename(projects: Projects, card: Card) -> None:
    name = st.text_input("Name", card.name, key=f"new-name-{card.id}", max_chars=200)
    if st.button("Rename", type="primary", key="rename"):
        try:
            projects.rename(card.id, name)
        except WorkbenchError as problem:
            st.error(literal(problem))
        else:
            st.rerun()


@st.dialog("Save the project as a file")
def _save(projects: Projects, card: Card) -> None:
    st.markdown("One file with the data, every step and the formula. Drop it on this page, on any machine, to go on.")
    st.download_button("Download", lambda: projects.export(card.id), projects.file_name(card.id), "application/octet-stream",
                       key="save", icon=":material/download:", type="primary", on_click="ignore")  # fmt: skip


def _undo_delete(projects: Projects) -> None:
    if "just_deleted" not in st.session_state:
        return
    project, name = st.session_state["just_deleted"]
    with st.container(horizontal=True, vertical_alignment="center", key="undo_delete"):
        st.markdown(f":material/delete: {literal(name)} is in the trash.", width="content")
        st.button("Undo", key="undo", icon=":material/undo:", on_click=_restore, args=(projects, project))


def _samples(projects: Projects, open_at_first: bool) -> None:
    if open_at_first:
        st.markdown("**Or begin with a table whose law is known, or with a task for a transformer**")
    with st.container() if open_at_first else st.expander("Small tables whose law is known, and a task for a transformer", icon=":material/science:", key="samples"):
        grid = st.grid("auto", min_column_width=215, gap="small")
        for sample in projects.samples():
            with grid.cell():
                _sample(projects, sample, sample.law, f"{', '.join(sample.features)} → {sample.target}")
        for task in projects.tasks():
            with grid.cell():
                _sample(projects, task, f"{task.description}.", f"{task.inputs} → {task.target}")


def _sample(projects: Projects, sample: Sample | SampleTask, words: str, columns: str) -> None:
    with st.container(border=True, key=f"sample-card-{sample.name}", gap="xxsmall"):
        if st.button(f"**{literal(sample.title)}**", key=f"sample-{sample.name}", type="tertiary", width="stretch"):
            with st.spinner("Opening …"):
                project = projects.open_sample(sample.name)
            go("data", project)
        st.caption(literal(words))
        st.caption(f"{sample.n_rows:,} rows · {literal(columns)}")


def _trash(projects: Projects) -> None:
    deleted = projects.trash()
    if not deleted:
        return
    with st.expander(f"Trash ({len(deleted)})", icon=":material/delete:", key="trash"):
        for project in deleted[:SHOWN]:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(literal(project.name), width="stretch")
                st.button("Take back", key=f"restore-{project.id}", on_click=_restore, args=(projects, project.id))
                st.button("Delete for good", key=f"purge-{project.id}", type="tertiary", on_click=projects.purge, args=(project.id,))


def _restore(projects: Projects, project: str) -> None:
    projects.restore(project)
    st.session_state.pop("just_deleted", None)
