"""0 with a result, 2 for bad input, 1 for a fault of ours, 130 for Ctrl+C; never more than one line unless the traceback is asked for."""

from __future__ import annotations

import argparse
import subprocess
import sys

import pytest

import workbench.cli.doctor
from workbench.cli import main
from workbench.exceptions import DatasetError, JobError


def _raising(error: BaseException):
    def command(options: argparse.Namespace) -> int:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (DatasetError("target 'y' is constant:\nchoose another"), 2, "kan-workbench: target 'y' is constant: choose another\n"),
        (FileNotFoundError(2, "No such file", "t.csv"), 2, "t.csv"),
        (JobError("the worker ran out of memory"), 1, "fault: JobError: the worker ran out of memory"),
        (ZeroDivisionError("division by zero"), 1, "fault: ZeroDivisionError: division by zero Run the command again with --traceback"),
        (KeyboardInterrupt(), 130, "stopped."),
    ],
)
def test_an_error_becomes_one_line_and_its_exit_code(
    error: BaseException, code: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(workbench.cli.doctor, "doctor", _raising(error))
    assert main(["doctor"]) == code
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


def test_the_traceback_of_a_fault_is_shown_on_request(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(workbench.cli.doctor, "doctor", _raising(ZeroDivisionError("division by zero")))
    assert main(["doctor", "--traceback"]) == 1
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_a_reader_that_has_seen_enough_is_no_fault() -> None:
    code = "import sys; from workbench.cli import main; sys.exit(main(['doctor']))"
    process = subprocess.Popen([sys.executable, "-u", "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, b"")


def test_help_and_version_need_nothing_heavy() -> None:
    code = "import sys\nfrom workbench.cli import main\ntry:\n    main(['discover', '--help'])\nexcept SystemExit as stop:\n    assert not stop.code\nassert 'numpy' not in sys.modules"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert "--time-budget SECONDS" in answer.stdout
