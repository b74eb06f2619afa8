"""Every error the workbench raises on purpose, as one tree.

An error is for a person: it says what was given, what is allowed and what to do next, in one plain sentence.

    WorkbenchError
    ├── TableError                a file or frame that cannot be read as a table
    ├── DatasetError              roles, units, splits or targets that cannot be used
    │   └── UnknownColumnError    a column the table does not have
    ├── ExpressionError           text that is not a formula we can read
    ├── UnknownPrimitiveError     a form that is not in the library
    ├── NetworkError              a network that cannot be built or evaluated
    │   └── UnknownEdgeError      an edge that does not exist
    ├── TrainingError             a fit that cannot start or produced nothing usable
    ├── SnapError                 a form that cannot be fitted to an edge
    ├── DiscoveryError            a move that cannot be made from this state
    ├── ExportError               a formula that a target language cannot express
    ├── ProjectError              a project or project file that cannot be opened or written
    ├── JobError                  a task that failed in its worker
    │   └── JobCancelled          a task that was stopped by a person
    └── MissingEngineError        an optional engine (CuPy, Julia, Operon) that is not installed
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class WorkbenchError(Exception):
    """The root of every error raised on purpose; catching it catches all of them."""


class TableError(WorkbenchError):
    """A file, buffer or frame cannot be read as a table."""


class DatasetError(WorkbenchError):
    """Roles, units, splits or targets cannot be used."""


class UnknownColumnError(DatasetError):
    """A column was named that the table does not have."""


class ExpressionError(WorkbenchError):
    """A text is not a formula that our parser accepts."""


class UnknownPrimitiveError(WorkbenchError):
    """A form was named that the library does not hold."""


class NetworkError(WorkbenchError):
    """A network cannot be built or evaluated."""


class UnknownEdgeError(NetworkError):
    """An edge was addressed that the network does not have."""


class TrainingError(WorkbenchError, ValueError):
    """A fit cannot start, or produced nothing usable. Also a ValueError, as users of scikit-learn expect."""


class SnapError(WorkbenchError):
    """A form cannot be fitted to an edge."""


class DiscoveryError(WorkbenchError):
    """A move cannot be made from this state."""


class ExportError(WorkbenchError):
    """A formula cannot be expressed in a target language."""


class ProjectError(WorkbenchError):
    """A project or project file cannot be opened or written."""


class JobError(WorkbenchError):
    """A task failed in its worker."""


class JobCancelled(JobError):
    """A task was stopped by a person."""


class MissingEngineError(WorkbenchError):
    """An optional engine is not installed; the message names the command that installs it."""


def did_you_mean(given: object, known: Iterable[object]) -> str:
    """Return " Did you mean 'x'?" for the closest known name, or an empty string.

    >>> did_you_mean("sinn", ["sin", "cos"])
    " Did you mean 'sin'?"
    """
    names = {str(name): name for name in known}
    close = difflib.get_close_matches(str(given), list(names), n=1, cutoff=0.5)
    return f" Did you mean {names[close[0]]!r}?" if close else ""
