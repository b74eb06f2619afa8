"""A wheel, installed in an empty environment, is the whole workbench: code, page, sample tables, CUDA sources and the command.

The environment is empty of ours only. The big libraries are lent from the one that runs the tests, by a line in a .pth file, so that nothing is
downloaded; what is ours must come out of the wheel.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    _run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], cwd=ROOT)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="session")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="session")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the programs of an environment in which nothing but the wheel was installed."""
    home = tmp_path_factory.mktemp("environment") / "venv"
    _run([sys.executable, "-m", "venv", "--without-pip", str(home)])
    programs = home / ("Scripts" if sys.platform == "win32" else "bin")
    _run([sys.executable, "-m", "pip", "--python", str(programs / "python"), "install", "--quiet", "--no-deps", "--no-index", str(wheel)])
    packages = _run([str(programs / "python"), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]).strip()
    (Path(packages) / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return programs


def _run(command: list[str], cwd: Path | None = None) -> str:
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}}
    answer = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


def _ours(folder: str, pattern: str) -> set[str]:
    """List the files of a folder of the checkout, relative to it, without what Python leaves behind."""
    found = (path.relative_to(ROOT / folder).as_posix() for path in (ROOT / folder).rglob(pattern) if path.is_file())
    return {name for name in found if "__pycache__" not in name}


def test_the_wheel_carries_every_file_of_the_package(names: set[str]) -> None:
    assert {f"workbench/{name}" for name in _ours("workbench", "*")} <= names


def test_the_wheel_carries_every_sample_table(names: set[str]) -> None:
    samples = _ours("sample_data", "*")
    assert "cherry_trees.csv" in samples
    assert {f"workbench/sample_data/{name}" for name in samples} <= names


def test_the_wheel_carries_the_cuda_sources_beside_the_ops(names: set[str]) -> None:
    sources = _ours("kernels", "*.cu*")
    assert {"rational.cu", "spline.cu", "numbers.cuh"} <= sources
    assert {f"workbench/ops/kernels/{name}" for name in sources} <= names


def test_the_wheel_carries_nothing_else(names: set[str]) -> None:
    assert {name.partition("/")[0] for name in names} == {"workbench", next(name for name in names if ".dist-info" in name).partition("/")[0]}


def test_the_installed_package_is_the_one_from_the_wheel(environment: Path, tmp_path: Path) -> None:
    where = _run([str(environment / "python"), "-c", "import workbench; print(workbench.__file__)"], cwd=tmp_path)
    assert Path(where.strip()).is_relative_to(environment.parent)


def test_every_installed_module_can_be_imported(environment: Path, tmp_path: Path) -> None:
    code = (
        "import importlib, pkgutil, workbench\n"
        "skipped = ('workbench.ui', 'workbench.ops.cuda')\n"       # a page runs under Streamlit, CuPy is optional
        "for module in pkgutil.walk_packages(workbench.__path__, 'workbench.'):\n"
        "    if not module.name.startswith(skipped) and not module.name.endswith('__main__'):\n"
        "        importlib.import_module(module.name)\n"
    )
    _run([str(environment / "python"), "-W", "error", "-c", code], cwd=tmp_path)


def test_the_console_script_runs(environment: Path, tmp_path: Path) -> None:
    assert _run([str(environment / "kan-workbench"), "--version"], cwd=tmp_path).startswith("kan-workbench 0.")
    assert "KAN Workbench" in _run([str(environment / "kan-workbench"), "doctor"], cwd=tmp_path)


def test_the_samples_are_read_from_the_wheel(environment: Path, tmp_path: Path) -> None:
    listed = _run([str(environment / "kan-workbench"), "samples"], cwd=tmp_path)
    assert {line.split()[0] for line in listed.splitlines()} >= {Path(name).stem for name in _ours("sample_data", "*.csv")}


def test_streamlit_finds_the_components_in_the_wheel(environment: Path, tmp_path: Path) -> None:
    code = (
        "from streamlit.components.v2.manifest_scanner import scan_component_manifests\n"
        "print(*(f'{manifest.name}.{part.name} {root / part.asset_dir}' for manifest, root in scan_component_manifests() for part in manifest.components), sep='\\n')"
    )
    found = dict(line.split(" ", 1) for line in _run([str(environment / "python"), "-c", code], cwd=tmp_path).splitlines())
    assert {"kan-workbench.network", "kan-workbench.inspector"} <= set(found)
    assert all(Path(folder).is_relative_to(environment.parent) and Path(folder).is_dir() for name, folder in found.items() if name.startswith("kan-workbench"))
