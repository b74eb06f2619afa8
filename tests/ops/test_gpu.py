"""What is said of a machine's GPU without importing torch or CuPy."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from workbench.ops import gpu

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands in for the driver's tool")


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The driver's tool, which names an H100."""
    path = tmp_path / "nvidia-smi"
    path.write_text("#!/bin/sh\necho 'NVIDIA H100, 81559 MiB, 580.65'\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return path


def installed(monkeypatch: pytest.MonkeyPatch, **versions: str) -> None:
    monkeypatch.setattr(gpu, "version", lambda name: versions.get(name.replace("-", "_")))


def test_with_everything_there_it_is_usable(tool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, torch="2.13.0+cu130", cupy_cuda13x="14.2.0")
    assert gpu.find() == gpu.Gpu("NVIDIA H100, 81559 MiB, 580.65")
    assert gpu.find().usable
    assert gpu.cupy() == "cupy-cuda13x 14.2.0"


@pytest.mark.parametrize(
    ("versions", "missing", "remedy"),
    [
        ({"torch": "2.13.0+cu130"}, "CuPy is not installed.", "pip install 'kan-workbench"),
        ({"torch": "2.13.0+cpu", "cupy_cuda13x": "14.2.0"}, "This torch is built for CPUs.", "pip install --force-reinstall torch"),
    ],
)
def test_what_is_missing_comes_with_its_command(tool: Path, monkeypatch: pytest.MonkeyPatch, versions: dict[str, str], missing: str, remedy: str) -> None:
    installed(monkeypatch, **versions)
    found = gpu.find()
    assert (found.usable, found.missing) == (False, missing)
    assert found.remedy.startswith(remedy)


def test_without_a_driver_or_a_device_there_is_none(tool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool.write_text("#!/bin/sh\nexit 9\n")
    assert gpu.find() == gpu.Gpu("", "nvidia-smi does not answer (CalledProcessError).")
    tool.write_text("#!/bin/sh\n")
    assert gpu.find() == gpu.Gpu("", "There is an NVIDIA driver here and no device.")
    monkeypatch.setenv("PATH", str(tool.parent / "nowhere"))
    assert gpu.find() == gpu.Gpu("", "There is no NVIDIA driver here.")
