"""Who may import whom, how large a module may grow, and what must never be written into a file.

Truth is the map in `pyproject.toml` (import-linter) for our own modules, and the tables below for packages from outside.
"""

from __future__ import annotations

import ast
import logging.config
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import importlinter.cli
import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "workbench"
MODULES = sorted(PACKAGE.rglob("*.py"))

# Package from outside -> the stages of ours that may import it at all, even inside a function.
OWNERS = {
    "streamlit": {"ui"},
    "cupy": {"ops"},
    "pysr": {"search"},
    "pyoperon": {"search"},
    "juliacall": {"search"},
    "juliapkg": {"search"},
    "dask": {"jobs"},
    "distributed": {"jobs"},
    "sklearn": {"estimator", "dataset", "comparison"},
}

# Slow or optional package -> the stages that may import it when they are imported themselves; all others import it inside a function.
EAGER = {
    "torch": set(),
    "sympy": set(),
    "cupy": set(),
    "pysr": set(),
    "pyoperon": set(),
    "dask": set(),
    "distributed": set(),
    "plotly": {"ui"},
    "pandas": {"table", "dataset", "store", "ui"},
    "sklearn": {"estimator", "comparison"},
}
# Modules that are torch through and through; nothing on the way of a KAN imports them.
TORCH_MODULES = {
    *(f"ops/{name}.py" for name in ("reference", "device", "launch", "spline_launch", "cuda", "engines", "autograd")),
    *(f"networks/kat/{name}.py" for name in ("__init__", "block", "conversion", "initialisation", "rational", "snapped", "storage", "tokens", "transformer")),
    *(f"activations/{name}.py" for name in ("__init__", "attention", "candidates", "certificate", "opening", "reading", "received", "recognition")),
    *(f"transformer/{name}.py" for name in ("learning", "lessons", "prediction", "storage", "transformer", "view")),
    *("export/torch_module.py", "export/names.py", "export/kat_report.py"),
    *("networks/lstm.py", "networks/attention.py", "training/adam.py"),
}

LONGEST_MODULE = 400      # lines
LONGEST_FUNCTION = 40     # lines below the docstring


def _name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def _stage(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def _imports(tree: ast.AST, eager_only: bool) -> Iterator[str]:
    """Yield every package a module imports; with `eager_only`, only what runs when the module itself is imported."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module or ""
        if eager_only and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        children = list(ast.iter_child_nodes(node))
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            children = node.orelse
        waiting.extend(children)


def _offenders(package: str, allowed: set[str], eager_only: bool) -> list[str]:
    offenders = []
    for path in MODULES:
        if _stage(path) in allowed or (package == "torch" and _name(path) in TORCH_MODULES):
            continue
        roots = {name.partition(".")[0] for name in _imports(ast.parse(path.read_text(encoding="utf-8")), eager_only)}
        if package in roots:
            offenders.append(_name(path))
    return offenders


def test_upper_stages_import_lower_ones_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(logging.config, "dictConfig", lambda config: None)      # it would silence the loggers of everybody else, for all tests behind this one
    assert importlinter.cli.lint_imports(no_cache=True, no_logo=True) == 0


@pytest.mark.parametrize("package", OWNERS)
def test_a_package_from_outside_is_imported_by_its_owner_only(package: str) -> None:
    assert _offenders(package, OWNERS[package], eager_only=False) == []


@pytest.mark.parametrize("package", EAGER)
def test_a_slow_package_is_not_imported_with_the_module(package: str) -> None:
    assert _offenders(package, EAGER[package], eager_only=True) == []


def test_the_import_reader_sees_what_it_must() -> None:
    source = "import a\nif TYPE_CHECKING:\n    import b\ndef f():\n    from c.d import e\nclass G:\n    import h\n"
    assert set(_imports(ast.parse(source), eager_only=True)) == {"a", "h"}
    assert set(_imports(ast.parse(source), eager_only=False)) == {"a", "c.d", "h"}


def test_stages_do_not_reach_for_the_public_names() -> None:
    """`from workbench import Table` inside the package would go round the layers; only the version is for everybody, and the command line is a user."""
    offenders = []
    for path in MODULES:
        if _stage(path) in {"cli", "ui", "__init__"}:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "workbench":
                offenders += [f"{_name(path)}: {alias.name}" for alias in node.names if alias.name != "__version__" and not _is_module(alias.name)]
    assert offenders == []


def _is_module(name: str) -> bool:
    return (PACKAGE / name).is_dir() or (PACKAGE / f"{name}.py").is_file()


@pytest.mark.parametrize("module", ["workbench", "workbench.cli", "workbench.exceptions"])
def test_an_import_that_must_be_cheap_brings_in_nothing_heavy(module: str) -> None:
    heavy = "{'torch', 'sklearn', 'sympy', 'numpy', 'pandas', 'streamlit', 'numba'}"
    code = f"import sys, {module}; print(sorted({heavy} & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert answer.stdout.strip() == "[]"


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_a_module_fits_in_the_head(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST_MODULE
    functions = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    assert {node.name: _body_lines(node) for node in functions if _body_lines(node) > LONGEST_FUNCTION} == {}


def _body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines of a function's body, its docstring left out."""
    body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_a_module_begins_with_what_it_is_for(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree) or not tree.body


def _texts() -> Iterator[tuple[str, str]]:
    """Yield every text file that is in the repository or about to be."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("this is no git checkout, so nothing says which files belong to the project")
    listed = subprocess.run([git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True)
    for name in sorted(set(listed.stdout.decode().split("\0")) - {""}):
        path = ROOT / name
        if not path.is_file():
            continue
        try:
            yield name, path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def test_no_file_names_a_folder_of_one_machine_or_a_package_index() -> None:
    folders = "|".join(["work", "root", "opt", "home"])
    names = [("pypi", ".", "org"), ("python", "hosted"), ("download", ".", "pytorch"), ("extra", "-index-", "url"), ("registry", ".", "npmjs")]
    hosts = [re.escape("".join(parts)) for parts in names]  # in parts, so that this file may be searched as well
    forbidden = re.compile(rf"(?<![\w.~}}/-])/(?:{folders})/[\w.]|" + "|".join(hosts))
    found = [f"{name}: {match.group()}" for name, text in _texts() for match in forbidden.finditer(text)]
    assert found == []


def test_no_file_was_committed_with_a_conflict_in_it() -> None:
    mark = re.compile(r"^(?:<{7}|>{7}) ", re.MULTILINE)
    assert [name for name, text in _texts() if mark.search(text)] == []


def test_ruff_has_nothing_to_say() -> None:
    answer = subprocess.run([sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format=concise", "."], cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_both_copies_of_the_page_settings_are_equal() -> None:
    assert (ROOT / ".streamlit" / "config.toml").read_bytes() == (PACKAGE / "ui" / ".streamlit" / "config.toml").read_bytes()
