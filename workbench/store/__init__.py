"""Where projects live: SQLite for everything that is asked for, safetensors for every array, pickle for nothing.

    Store(DIR)      a workspace: `.projects`, `.states`, `.jobs`, and projects in and out as files
    write_project   one project as one `.kanwb` file, read_project: back; both without a store

A project is a tree of frozen states with a cursor (see `workbench.store.states`). Everything survives a closed tab, a
restarted server and a second process at the same workspace.
"""

from workbench.store.archive import Archive
from workbench.store.file import SUFFIX, read_project, write_project
from workbench.store.records import Data, Draft, Project, SourceFile, State, Step
from workbench.store.store import Store, default_workspace

__all__ = [
    "SUFFIX", "Archive", "Data", "Draft", "Project", "SourceFile", "State", "Step", "Store", "default_workspace", "read_project", "write_project",
]  # fmt: skip
