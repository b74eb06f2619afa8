"""The doctor tells what is there without importing it, and installs nothing that nobody agreed to."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.cli import doctor, main
from workbench.exceptions import JobError
from workbench.julia import julia_environment
from workbench.ops.gpu import Gpu


def _finding(name: str) -> doctor.Finding:
    return next(finding for finding in doctor.examine() if finding.name == name)


def test_every_library_of_a_working_installation_is_ready() -> None:
    assert {finding.name for finding in doctor.examine() if finding.state == "broken"} == set()


def test_the_report_comes_as_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 0
    findings = json.loads(capsys.readouterr().out)
    assert {"Processor", "Memory", "torch", "GPU", "Operon", "PySR"} <= {finding["name"] for finding in findings}
    assert all(set(finding) == {"name", "state", "detail", "remedy"} for finding in findings)


def test_a_missing_library_is_broken_and_the_exit_code_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    installed = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda name: None if name == "scipy" else installed(name))
    assert main(["doctor"]) == 1
    assert "scipy" in next(line for line in capsys.readouterr().out.splitlines() if "broken" in line)


def test_nothing_heavy_is_imported_to_find_out() -> None:
    code = "import sys; from workbench.cli.doctor import examine; examine(); print(sorted({'torch', 'pysr', 'juliacall', 'juliapkg', 'pyoperon', 'numpy'} & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert answer.stdout.strip() == "[]"


@pytest.mark.skipif(not Path("/proc/meminfo").exists(), reason="only Linux tells its memory in /proc/meminfo")
def test_memory_is_what_the_kernel_says() -> None:
    kilobytes = int(Path("/proc/meminfo").read_text().split()[1])
    assert doctor.total_memory() == pytest.approx(kilobytes * 1024, rel=1e-3)


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands in for the driver's tool")
def test_a_gpu_is_reported_in_the_words_of_its_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'NVIDIA H100, 81559 MiB, 580.65'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert _finding("GPU") == doctor.Finding("GPU", "ready", "NVIDIA H100, 81559 MiB, 580.65")


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands in for the driver's tool")
def test_a_driver_that_does_not_answer_is_no_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\nexit 9\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert _finding("GPU").state == "absent"


def test_the_engines_that_are_there_are_named_and_what_the_gpu_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    for found, detail, remedy in (
        (Gpu("NVIDIA H100"), "native, cpu, reference, cuda", ""),
        (Gpu("NVIDIA H100", "CuPy is not installed.", "pip install it"), "native, cpu, reference; not cuda: CuPy is not installed.", "pip install it"),
    ):
        monkeypatch.setattr(doctor.gpu, "find", lambda found=found: found)
        assert _finding("Engines") == doctor.Finding("Engines", "ready", detail, remedy)


def test_julia_is_absent_until_its_packages_are_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_JULIAPKG_PROJECT", str(tmp_path))
    finding = _finding("PySR")
    assert (finding.state, finding.remedy) == ("absent", "kan-workbench doctor --install pysr")


def test_julia_is_found_where_juliapkg_puts_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_JULIAPKG_PROJECT", str(tmp_path))
    code = "from juliapkg.state import STATE; print(STATE['meta'])"      # juliapkg's own word for where it keeps its notes
    meta = Path(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout.strip())
    meta.parent.mkdir(parents=True)
    meta.write_text(json.dumps({"version": "1.11.7", "executable": "julia-1.11.7/bin/julia"}))
    finding = _finding("PySR")
    assert finding.state == "ready"
    assert "Julia 1.11.7" in finding.detail


def test_the_julia_environment_is_the_one_juliapkg_would_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHON_JULIAPKG_PROJECT", raising=False)
    code = "from juliapkg.state import STATE; print(STATE['project'])"
    project = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout.strip()
    assert str(julia_environment()) == project


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Note the processes that an installation would start, and start none."""
    started: list[list[str]] = []

    def run(command: list[str], check: bool) -> subprocess.CompletedProcess:
        started.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(doctor.subprocess, "run", run)
    return started


def test_nothing_is_installed_where_nobody_can_be_asked(steps: list, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert main(["doctor", "--install", "pysr"]) == 2
    assert "--yes" in capsys.readouterr().err
    assert steps == []


@pytest.mark.parametrize("answer", ["", "n\n", "\n", "yess\n"])
def test_nothing_is_installed_without_a_yes(answer: str, steps: list, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", _Terminal(answer))
    assert doctor.install_julia() == 0
    assert steps == []


def test_the_cost_is_said_before_the_question(steps: list, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", _Terminal("y\n"))
    assert doctor.install_julia() == 0
    out = capsys.readouterr().out
    assert 0 < out.index("minutes") < out.index("[y/N]")
    assert [command[0] for command in steps] == [sys.executable, sys.executable]
    assert "juliapkg.resolve()" in steps[0][2]


def test_a_download_that_fails_is_said_to_have_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.subprocess, "run", lambda command, check: subprocess.CompletedProcess(command, 1))
    with pytest.raises(JobError, match=r"juliapkg\.resolve"):
        doctor.install_julia(assume_yes=True)
