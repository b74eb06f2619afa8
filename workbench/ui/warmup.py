"""What the pages will need, loaded while nobody waits for it: in a thread, as soon as the server is up.

The first visitor then finds the pages imported, and the first plot finds Plotly. And every visitor after that gets answers sooner:
Streamlit looks for garbage after each run of a page, through everything that was ever imported (70 ms of a processor, in which no
answer leaves the server). What is loaded here stays for good, so it is taken out of that search.
"""

from __future__ import annotations

import gc
import importlib
import threading

# The pages first: somebody may be waiting for one. They import each other through the navigation.
NEEDED = (
    "workbench.ui.pages.projects",
    "workbench.ui.pages.data",
    "workbench.ui.pages.bench",
    "workbench.ui.pages.export",
    "pyarrow",
    "workbench.figures.plots",
)


def start() -> threading.Thread:
    """Begin to warm up, and return the thread that does it."""
    thread = threading.Thread(target=warm_up, name="warm-up", daemon=True)
    thread.start()
    return thread


def warm_up() -> None:
    """Import what is needed, and spare the collector of garbage from looking through it for ever after."""
    for module in NEEDED:
        importlib.import_module(module)
    importlib.import_module("workbench.figures.plots").learning_curve([1.0])  # Plotly loads its parts when they are used
    gc.collect()
    gc.freeze()
