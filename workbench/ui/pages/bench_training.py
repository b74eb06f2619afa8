"""The controls of training in the header of the Workbench page: what can be done now, and nothing else.

    nothing under way                                      ▶ Continue
    a fit that runs        Discard   ⏹ Stop and keep   ⏭ Step   ⏸ Pause
    one that is paused     Discard   ⏹ Stop and keep   ⏭ Step   ▶ Continue

Continue and Pause take turns in one place, so that no second click hits anything else.
"""

from __future__ import annotations

import streamlit as st

from workbench.ui.state.room import Room, Scene

STEP = "One block of iterations, then paused again"
FURTHER = "Train this network further from where it stands, as one more move of the history"
KEEP = "End the fit here. The best network so far becomes the present state: one more line of the history, which can be undone"
DISCARD = "End the fit and keep nothing of it: everything is as it was before"


def controls(bench: Room, scene: Scene) -> None:
    """Draw them."""
    if scene.training is None:
        _continue(bench, FURTHER, disabled=scene.state is None or scene.running is not None)
        return
    waits = scene.training.status == "queued"
    st.button("Discard", key="bench_discard", icon=":material/delete:", help=DISCARD, on_click=bench.training.discard)
    st.button("Stop and keep", key="bench_keep", icon=":material/stop:", help=KEEP, disabled=waits, on_click=bench.training.keep)
    st.button("Step", key="bench_step", icon=":material/skip_next:", help=STEP, disabled=waits, on_click=bench.training.step)
    if scene.training.status == "paused":
        _continue(bench, "Go on where the fit stands", primary=True)
    elif bench.memory.pausing == scene.training.id:
        st.button("Pausing …", key="bench_pause", icon=":material/pause:", disabled=True, help="It pauses after the iterations it is at")
    else:
        st.button("Pause", key="bench_pause", icon=":material/pause:", disabled=waits, on_click=bench.training.pause,
                  help="Wait here: look at the curves, step, or go on later")  # fmt: skip


def _continue(bench: Room, words: str, *, primary: bool = False, disabled: bool = False) -> None:
    st.button("Continue", key="bench_continue", icon=":material/play_arrow:", type="primary" if primary else "secondary", help=words,
              on_click=bench.go_on, disabled=disabled)  # fmt: skip
