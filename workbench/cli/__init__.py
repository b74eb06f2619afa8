"""The command line: `kan-workbench app | fit | discover | predict | samples | doctor`.

Scripts rely on it. A command prints its result on stdout, and the exit code says how it went:

    0   a result was produced, a verdict of "none" included
    2   the input is at fault: one line on stderr says what was given, what is allowed and what to do
    1   the workbench is at fault: one line on stderr, and `--traceback` shows the whole story
    130 stopped with Ctrl+C

Each command imports what it needs when it runs: `kan-workbench --help` must not wait for NumPy.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence

from workbench.cli.arguments import parse_arguments
from workbench.exceptions import JobError, WorkbenchError

RESULT, FAULT, BAD_INPUT, STOPPED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Parameters
    ----------
    arguments : the words after `kan-workbench`; those of this process when left out
    """
    try:
        options = parse_arguments(sys.argv[1:] if arguments is None else arguments)
    except WorkbenchError as error:
        return _complain(str(error), BAD_INPUT)
    try:
        return options.command(options)
    except JobError as error:
        return _fault(error, options.traceback)
    except (WorkbenchError, FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError) as error:
        return _complain(str(error), BAD_INPUT)
    except KeyboardInterrupt:
        return _complain("stopped.", STOPPED)
    except BrokenPipeError:                     # `kan-workbench samples | head -1`: the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return RESULT
    except Exception as error:  # noqa: BLE001   the boundary of the process: a fault becomes one line and exit code 1
        return _fault(error, options.traceback)


def _fault(error: Exception, show_traceback: bool) -> int:
    """Report an error that is not the user's."""
    if show_traceback:
        traceback.print_exception(error)
    hint = "" if show_traceback else " Run the command again with --traceback to see where."
    return _complain(f"fault: {type(error).__name__}: {error}{hint}", FAULT)


def _complain(message: str, code: int) -> int:
    """Write one line on stderr and return the exit code."""
    print(f"kan-workbench: {' '.join(message.split())}", file=sys.stderr)
    return code
