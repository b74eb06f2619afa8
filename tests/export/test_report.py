"""The report: everything a reader needs to trust the formula, in one file that asks nothing of anybody."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from workbench.export.report import report, write_report
from workbench.formula import Formula, Input, Quantity, assemble, certify
from workbench.networks import KAN, SymbolicEdge
from workbench.networks.kan import initial, nodes_of
from workbench.primitives import PrimitiveForm, find
from workbench.table import Column, Note

VOID = {"meta", "br", "hr", "img", "link", "input"}

HOSTILE = '</h1><script>alert("x")</script>'


def snapped(name: str, *parameters: float) -> SymbolicEdge:
    form = PrimitiveForm(find(name))
    return SymbolicEdge(form, parameters, form.free)


@dataclass(frozen=True)
class Step:
    label: str
    text: str

    def to_python(self) -> str:
        return self.text


@dataclass
class Found:
    """What the report asks of a discovery."""

    data: SimpleNamespace
    network: KAN
    inputs: tuple[Input, ...]
    targets: tuple[Quantity, ...]
    path: list[SimpleNamespace]
    metrics: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(r2_validation=0.8765))

    def formula(self) -> Formula:
        formula = assemble(self.network, self.inputs, self.targets)
        parts = {part: self.data.X[getattr(self.data.split, part)] for part in ("train", "validation", "test")}
        return replace(formula, certificate=certify(self.network, formula, parts))

    def to_script(self) -> str:
        return "import workbench as wb\n"


@pytest.fixture
def found() -> Found:
    """y = exp(sin(pi x1) + x2^2) with one spline edge beside it, 211 rows with noise, columns with hostile names."""
    generator = np.random.default_rng(7)
    X = np.column_stack([generator.uniform(-1, 1, 211), generator.uniform(-1, 1, 211), generator.uniform(0, 3, 211)])
    y = np.exp(np.sin(np.pi * X[:, 0]) + X[:, 1] ** 2)[:, None] + 0.05 * generator.normal(size=(211, 1))
    network = initial([nodes_of(1), nodes_of(1)], np.array([[-1.0, 1.0], [-1.0, 1.0], [0.0, 3.0]]), generator, noise=0.02)
    network = network.with_symbolic((0, 0, 0), snapped("sin", 1.0, np.pi, 0.0)).with_symbolic((0, 1, 0), snapped("x^2", 1.0, 1.0, 0.0))
    network = network.with_symbolic((1, 0, 0), snapped("exp", 1.0, 1.0, 0.0)).with_spline((0, 2, 0), 0.01 * generator.normal(size=8))
    columns = (Column("angle", "angle", "rad"), Column(HOSTILE, "x2", ""), Column("Länge (m)", "Lange_m", "m"))
    order = np.arange(211)
    data = SimpleNamespace(
        name="<i>runs</i>", X=X, y=y, features=columns, targets=(Column("force & more", "force", "N"),), weights=None, groups=None,
        group_labels=(), task="regression", seen=lambda rows: rows, fingerprint="ab" * 32, X_train=X[:151], notes=(Note("missing", (), "2 values were missing."),),
        left_out=((np.array([3, 5]), "no target"),), split=SimpleNamespace(train=order[:151], validation=order[151:182], test=order[182:]),
    )  # fmt: skip
    inputs = tuple(Input(c.name, c.symbol, c.unit or None, X[:, i].min(), X[:, i].max()) for i, c in enumerate(columns))
    moves = (Step("fit", "found.fit(hidden_layer_sizes=(1,))"), Step("angle → h0 is sin", "found.snap((0, 'angle', 0), 'sin')"))
    path = [SimpleNamespace(move=move) for move in moves]
    return Found(data, network, inputs, (Quantity("force & more", "force", "N"),), path)


class Page(HTMLParser):
    """Reads a page: its text, its tags, and whether every tag is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict]] = []
        self.words: list[str] = []
        self.feed(text)
        assert not self.open, f"not closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


@pytest.fixture
def text(found) -> str:
    return report(found)


@pytest.fixture
def page(text) -> Page:
    return Page(text)


def test_every_part_is_there(page):
    for heading in ("Constants", "Range of validity", "The network", "Measured and predicted", "Functions without a name", "Decisions", "Data"):
        assert heading in page.text
    tags = [tag for tag, _ in page.tags]
    assert "math" in tags
    assert tags.count("svg") == 3  # network, parity, residuals


def test_it_loads_and_runs_nothing(text, page):
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "base", "form"}
    assert not any(name.startswith("on") or name in ("src", "href", "action") for _, attributes in page.tags for name in attributes)
    assert "default-src 'none'" in text
    assert "@import" not in text
    assert not re.search(r"url\(", text)
    assert set(re.findall(r"https?://[^\"'<\s]+", text)) <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1998/Math/MathML"}


def test_hostile_names_are_shown_as_text(page):
    assert '</h1><script>alert("x")</script>' in page.text
    assert "<i>runs</i>" in page.text


def test_certificate_ranges_and_fingerprint_are_told(page, found):
    assert "The formula is the network" in page.text
    assert "0.0098302" in page.text or "0.00983" in page.text  # lower end of the third input's range
    assert "ab" * 32 in page.text
    assert "151 training, 31 validation, 29 test" in page.text
    assert "2 rows left out: no target" in page.text
    assert "2 values were missing." in page.text


def test_figures_are_those_of_the_formula(page, found):
    data, formula = found.data, found.formula()
    rows = data.split.test
    residual = data.y[rows, 0] - formula.prediction(data.X[rows]).values
    r2 = 1 - np.sum(residual**2) / np.sum((data.y[rows] - data.y[rows].mean()) ** 2)
    shown = re.search(r"R² test\s+([\d.]+)", page.text)
    assert_allclose(float(shown[1]), r2, atol=1e-5)
    error = re.search(r"RMSE test\s+([\d.]+) N", page.text)
    assert_allclose(float(error[1]), np.sqrt(np.mean(residual**2)), rtol=0.01)


def test_every_constant_stands_with_its_interval(page, found):
    data, formula = found.data, found.formula()
    (constant,) = formula.intervals(data.X[data.split.train], data.y[data.split.train])
    shown = re.search(r"3\.1415927\s+([\d.]+)\s+([\d.]+) … ([\d.]+)", page.text)
    assert_allclose([float(shown[2]), float(shown[3])], [constant.low, constant.high], rtol=1e-4)


def test_decisions_are_listed_in_order_with_their_calls(page):
    first, second = page.text.index("found.fit(hidden_layer_sizes=(1,))"), page.text.index("found.snap((0, 'angle', 0), 'sin')")
    assert first < second


def test_pieces_of_splines_are_given(page, found):
    (definition,) = found.formula().definitions.values()
    cells = re.findall(r"−?\d[\d.]*(?:e−?\d+)?", page.text[page.text.index("t³") : page.text.index("Decisions")])
    numbers = [float(cell.replace("−", "-")) for cell in cells]
    assert_allclose(numbers[: 5 * 11 : 5], definition.knots[:-1], rtol=1e-6, atol=1e-12)


def test_formula_can_be_copied_as_text_and_latex(page, found):
    assert found.formula().to_text() in page.text
    assert found.formula().to_latex().split()[0] in page.text


def test_same_discovery_gives_the_same_text_and_the_moment_is_printed_on_demand(found):
    assert report(found) == report(found)
    moment = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
    assert "Written 2026-11-22 09:30 UTC." in report(found, moment=moment)


def test_report_of_one_law_for_several_groups_has_a_table_for_each(found, monkeypatch):
    data, formula = found.data, found.formula()
    data.groups, data.group_labels = np.arange(len(data.X)) % 2, ("treated", "<untreated>")
    other = formula.with_constants([3.0])
    grouped = Formula(formula.outputs, formula.inputs, formula.definitions, {"treated": formula.outputs, "<untreated>": other.outputs}, formula.certificate)
    monkeypatch.setattr(found, "formula", lambda: grouped)
    page = Page(report(found))
    assert page.text.count("standard error") == 2
    assert page.text.count("<untreated>") >= 2


def test_report_without_test_rows_does_without_them(found):
    split = found.data.split
    split.train, split.test, split.validation = np.arange(211), np.empty(0, dtype=int), np.empty(0, dtype=int)
    page = Page(report(found))
    assert "R² test" not in page.text
    assert "R² cross-validated 0.8765" in page.text
    assert "211 training." in page.text


def test_inexact_formula_is_not_called_certified(found, monkeypatch):
    rough = found.formula().with_constants([3.0])
    monkeypatch.setattr(found, "formula", lambda: replace(rough, certificate=certify(found.network, rough, {"train": found.data.X_train})))
    page = Page(report(found))
    assert "Certified." not in page.text
    assert "not exactly the network" in page.text


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_browser_shows_it_without_a_request_or_a_complaint(found, tmp_path, chromium_path, scheme):
    from playwright.sync_api import sync_playwright

    write_report(found, tmp_path / "report.html")
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=arguments)
        page = browser.new_page(viewport={"width": 900, "height": 800}, color_scheme=scheme)
        requests, complaints = [], []
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.goto((tmp_path / "report.html").as_uri())
        ground = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        curve = page.evaluate("getComputedStyle(document.querySelector('.kan-network .snapped .curve')).stroke")
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        browser.close()
    assert requests == [(tmp_path / "report.html").as_uri()]
    assert complaints == []
    assert (ground, curve) == {"light": ("rgb(255, 255, 255)", "rgb(10, 127, 85)"), "dark": ("rgb(18, 21, 28)", "rgb(76, 199, 154)")}[scheme]
    assert overflow == 0


def test_file_is_written_as_utf8(found, tmp_path):
    write_report(found, tmp_path / "report.html")
    assert "Länge (m)" in (tmp_path / "report.html").read_text(encoding="utf-8")
