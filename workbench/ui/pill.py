"""The job pill: on every page, what the workers do for the open project, with a button that stops it.

While something runs the pill looks once a second. When it ends the whole page is run again, so that every page shows
what came of it.
"""

from __future__ import annotations

import streamlit as st

from workbench.ui.markdown import literal
from workbench.ui.navigation import REMEMBERED
from workbench.ui.services import services
from workbench.ui.state.jobs import Jobs, Pill

EVERY = "1s"
DISMISSED, WATCHED = "dismissed_jobs", "watched_job"  # keys of the session
ICONS = {
    "queued": ":material/hourglass_empty:", "paused": ":material/pause_circle:", "done": ":material/check_circle:", "failed": ":material/error:",
    "interrupted": ":material/power_off:",
}  # fmt: skip


def job_pill() -> None:
    """Draw the pill, or nothing where there is nothing to say."""
    jobs, project = Jobs(services()), st.query_params.get("project") or st.session_state.get(REMEMBERED)
    pill = _shown(jobs, project)
    if pill is not None:
        st.fragment(_draw, run_every=EVERY if pill.running else None)(jobs, project, pill.job)


def _shown(jobs: Jobs, project: str | None) -> Pill | None:
    own = jobs.pill(project) if project else None
    if own is not None and own.job not in st.session_state.get(DISMISSED, ()):
        return own
    return jobs.elsewhere(project)


def _draw(jobs: Jobs, project: str | None, watched: str) -> None:
    pill = _shown(jobs, project)
    if pill is None or pill.job != watched:
        st.rerun()
    if not pill.running and st.session_state.get(WATCHED) == pill.job:
        del st.session_state[WATCHED]
        st.rerun()
    if pill.running:
        st.session_state[WATCHED] = pill.job
    with st.container(key="job_pill", horizontal=True, vertical_alignment="center", gap="xsmall", width="content"):
        icon = ICONS.get(pill.status, ":material/progress_activity:")
        st.markdown(f"{icon} {literal(pill.text)}", help=literal(pill.detail) or None, width="content")
        if pill.running and pill.steered:
            _steer(jobs, pill)
        elif pill.running:
            st.button("Stop", key="stop_job", icon=":material/stop_circle:", type="tertiary", on_click=jobs.end, args=(pill.job,))
        else:
            st.button("Dismiss", key="dismiss_job", icon=":material/close:", type="tertiary", on_click=_dismiss, args=(pill.job,))


def _steer(jobs: Jobs, pill: Pill) -> None:
    """A fit can be paused and gone on with from every page, and ended with what it has or without."""
    if pill.status == "paused":
        st.button("Continue", key="continue_job", icon=":material/play_arrow:", type="tertiary", on_click=jobs.steer, args=(pill.job, "go on"))
    else:
        st.button("Pause", key="pause_job", icon=":material/pause:", type="tertiary", on_click=jobs.steer, args=(pill.job, "pause"))
    chosen = st.menu_button("Stop", ["Stop and keep", "Discard"], key="end_job", icon=":material/stop_circle:", type="tertiary")
    if chosen == "Stop and keep":
        jobs.steer(pill.job, "finish")
    elif chosen == "Discard":
        jobs.stop(pill.job)


def _dismiss(job: str) -> None:
    st.session_state[DISMISSED] = {*st.session_state.get(DISMISSED, ()), job}
