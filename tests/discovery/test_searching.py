"""The search for whole formulas beside the autopilot: engines propose, hold still, are ended; what is best on these rows is adopted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

import workbench as wb
from workbench.discovery.autopilot import pilot, searching
from workbench.discovery.autopilot.course import Clock
from workbench.discovery.autopilot.findings import finding, pareto
from workbench.discovery.autopilot.proposals import Collected, adopted, search_problem
from workbench.discovery.autopilot.searching import Limits, Search
from workbench.exceptions import JobError, UnknownPrimitiveError
from workbench.expression import Expression, evaluate, parse
from workbench.search import Proposal, SearchProblem
from workbench.search.textbook import scatters


def dataset(n_rows: int = 127, noise: float = 0.0) -> wb.Dataset:
    rng = np.random.default_rng(4)
    a, b = rng.uniform(0.5, 2.0, (2, n_rows))
    y = 1.5 * a / b**2
    return wb.Dataset.from_table({"a": a, "b": b, "y": y + noise * y.std() * rng.normal(size=n_rows)}, "y")


class Scripted:
    """An engine that proposes texts one after the other, with a moment between them in which it can be held or ended."""

    name = "scripted"

    def __init__(self, *texts: str, then: Exception | None = None, endless: bool = False) -> None:
        self.texts, self.then, self.endless = texts, then, endless
        self.asked = 0

    def search(self, problem: SearchProblem, stop: Callable[[], bool], random_state: int = 0) -> Iterator[Proposal]:
        for text in self.texts:
            if stop():
                return
            yield Proposal(parse(text), self.name)
        if self.then is not None:
            raise self.then
        while self.endless and not stop():
            self.asked += 1
            time.sleep(0.005)


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def replace(native: Scripted, beside: Scripted | None = None) -> None:
        monkeypatch.setattr(searching, "engine", lambda name, guesses, part: native if name == "screens" else beside or Scripted())
        monkeypatch.setattr(searching, "installed", lambda: ("screens", "operon"))
        monkeypatch.setattr(searching, "_BESIDE", {"operon": 0.0})

    return replace


def test_an_exact_proposal_ends_the_search_at_once(use: Callable[..., None]) -> None:
    use(Scripted("a", "1.5*a/b**2", endless=True))
    search = Search(dataset(), Limits(), 0, print)
    began = time.monotonic()
    search.run(lambda: time.monotonic() - began > 20)
    assert search.exact
    assert time.monotonic() - began < 5
    assert [str(p.expression) for p in search.news()] == ["1.5*a/b**2", "a"]
    search.end()


def test_an_engine_holds_still_between_two_runs_and_goes_on_where_it_was(use: Callable[..., None]) -> None:
    engine = Scripted("a", endless=True)
    use(engine)
    search = Search(dataset(), Limits(), 0, print)
    search.run(lambda: engine.asked > 3)
    time.sleep(0.05)
    held = engine.asked
    time.sleep(0.1)
    assert engine.asked <= held + 1
    search.run(lambda: engine.asked > held + 5)
    assert engine.asked > held + 5
    search.end()
    assert not [thread for thread in threading.enumerate() if thread.name == "search-scripted"]


def test_what_another_engine_finds_beside_is_news(use: Callable[..., None]) -> None:
    use(Scripted("a", endless=True), Scripted("1.5*a/b", endless=True))
    search = Search(dataset(noise=0.05), Limits(), 0, print)
    began = time.monotonic()
    search.run(lambda: time.monotonic() - began > 0.5)
    assert {str(p.expression) for p in search.news()} == {"a", "1.5*a/b"}
    assert list(search.news()) == []
    search.end()


def test_an_engine_that_takes_guesses_starts_from_the_best_that_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, list[str]] = {}

    def engine(name: str, guesses: list[Expression], part: str) -> Scripted:
        given[name] = [str(guess) for guess in guesses]
        return Scripted("a", "1.5*a/b**2", "1.5*a/b") if name == "screens" else Scripted()

    monkeypatch.setattr(searching, "engine", engine)
    monkeypatch.setattr(searching, "installed", lambda: ("screens", "pysr"))
    search = Search(dataset(noise=0.05), Limits(), 0, print)
    search.run(lambda: False)
    assert given == {"screens": [], "pysr": ["1.5*a/b**2", "1.5*a/b", "a"]}
    search.end()


def test_an_engine_that_dies_says_so_and_leaves_what_it_found(use: Callable[..., None]) -> None:
    said: list[str] = []
    use(Scripted("a", endless=True), Scripted("1.5*a/b", then=JobError("The engine scripted ended in the middle of its search.")))
    search = Search(dataset(noise=0.05), Limits(), 0, said.append)
    death = "The engine scripted ended in the middle of its search."
    search.run(lambda: death in said)
    assert said[-1] == death
    assert "1.5*a/b" in {str(p.expression) for p in search.news()}
    search.end()


def test_another_scale_weighs_the_same_proposals_anew(use: Callable[..., None]) -> None:
    """y = x with one huge row: in amounts only that row counts, in shares of the value all rows do."""
    x = np.geomspace(1, 1e4, 41)
    y = np.where(x < 1e4, x, 5e4)
    data = wb.Dataset.from_table({"x": x, "y": y}, "y", test_fraction=0.0)
    use(Scripted("1.1*x", "2.5*x"))
    search = Search(data, Limits(), 0, print)
    search.run(lambda: False)
    assert str(next(search.news()).expression) == "2.5*x"
    search.on(data.with_transforms({"y": "log", "x": "log"}))
    assert str(next(search.news()).expression) == "1.1*x"
    search.end()


def test_nothing_is_searched_for_classes_groups_and_shapes() -> None:
    assert search_problem(wb.load_sample("puromycin")) is None
    search = Search(dataset(), Limits(hidden_layer_sizes=(3,)), 0, print)
    search.run(lambda: False)
    assert list(search.news()) == []


def test_a_group_of_rows_is_a_problem_of_its_own() -> None:
    rows = wb.load_sample("puromycin")
    problem = search_problem(rows, group=list(rows.group_labels).index("untreated"))
    assert sorted(problem.y) == [51.0, 67.0, 84.0, 86.0, 98.0, 115.0, 124.0, 131.0, 144.0, 158.0, 160.0]  # Treloar (1974), as in R
    assert search_problem(dataset(), group=0) is None  # there are none


def test_the_front_holds_the_best_of_each_length_shortest_description_first() -> None:
    collected = Collected(search_problem(dataset()))
    for text in ("3.0*a", "1.4*a/b**2", "1.5*a/b**2 + 0.000001*a", "a", "1.5*a/b", "log(a - 1.0)"):
        collected.take(Proposal(parse(text), "scripted"))
    assert str(collected.front[0].expression) == "1.5*a/b**2 + 1e-06*a"
    assert "log(a - 1.0)" not in {str(p.expression) for p in collected.front}  # no value on some rows


def test_of_as_many_parts_whole_numbers_stay_where_fitted_ones_explain_only_noise() -> None:
    generator = np.random.default_rng(3)
    a, b = generator.uniform(0.5, 3.0, (2, 307))
    y = a * b**2 + 0.1 * generator.normal(size=307)
    collected = Collected(search_problem(wb.Dataset.from_table({"a": a, "b": b, "y": y}, "y")))
    whole = Proposal(parse("a*b**2"), "scripted")
    for each in (Proposal(parse("a*b**1.96"), "scripted"), Proposal(parse("1.9*a*b"), "scripted"), whole):
        collected.take(each)
    assert collected.front[0] is whole
    collected.take(Proposal(parse("a*b**2.0003"), "scripted"))  # its error may be less, by less than its exponent costs
    assert collected.front[0] is whole


def test_what_is_nearly_as_short_is_handed_on_once() -> None:
    """Of these, what is longer misses more; but the rows that are held back may prefer it. In other words it is not handed on again."""
    generator = np.random.default_rng(11)
    v, m = generator.uniform(1.0, 2.0, 307), generator.uniform(1.0, 5.0, 307)
    y = m * np.exp(v / 18) * (1 + 0.1 * generator.normal(size=307))
    collected = Collected(search_problem(wb.Dataset.from_table({"m": m, "v": v, "y": y}, "y")))
    for text in ("m*exp(v/18)", "sqrt(v/9 + 1)*m", "m*sqrt(1 + v/9)", "m*sqrt(2*v + 1)"):
        collected.take(Proposal(parse(text), "scripted"))
    texts = [str(each.expression) for each in collected.front]
    assert len(texts) == 2
    assert sum("sqrt" in text for text in texts) == 1
    assert "m*exp(v/18)" in texts


def test_what_was_not_judged_is_counted_once_and_not_where_it_says_what_was() -> None:
    generator = np.random.default_rng(11)
    v, m = generator.uniform(1.0, 2.0, 307), generator.uniform(1.0, 5.0, 307)
    data = wb.Dataset.from_table({"m": m, "v": v, "y": m * np.exp(v / 18) * (1 + 0.1 * generator.normal(size=307))}, "y")
    collected, known = Collected(search_problem(data)), Proposal(parse("m*(1 + v/18)"), "scripted")
    for each in (known, *(Proposal(parse(text), "scripted") for text in ("m*exp(v/18)", "m*v/18 + m", "2.0*m*v"))):
        collected.take(each)
    assert {str(each.expression) for each in collected.as_short(but=())} >= {"m*exp(v/18)"}
    assert [str(each.expression) for each in collected.as_short(but={id(known)})] == ["m*exp(v/18)"]
    assert collected.as_short(but=set(map(id, collected.all))) == []


@pytest.mark.parametrize(("left", "words"), [(1, "another formula that describes"), (17, "17 other formulas that describe")])
def test_it_is_no_law_while_others_that_may_be_wait_to_be_judged(use: Callable[..., None], monkeypatch: pytest.MonkeyPatch, left: int, words: str) -> None:
    use(Scripted("1.5*a/b**2", endless=True))
    data = dataset(n_rows=307, noise=0.02)
    assert wb.discover(data, time_budget=3.0).verdict == "law"
    monkeypatch.setattr(Search, "unjudged", left)
    found = wb.discover(data, time_budget=3.0)
    assert found.verdict == "approximation"
    assert words in found.reasons[0]


def test_where_rows_tell_little_dozens_that_are_nearly_as_short_are_handed_on_and_the_shortest_stay() -> None:
    """Of 41 powers that follow one curve any may be what the rows that are held back prefer; a list of all is more than anyone reads."""
    generator = np.random.default_rng(11)
    v, m = generator.uniform(1.0, 2.0, 307), generator.uniform(1.0, 5.0, 307)
    data = wb.Dataset.from_table({"m": m, "v": v, "y": m * np.exp(v / 18) * (1 + 0.1 * generator.normal(size=307))}, "y")
    collected = Collected(search_problem(data))
    near = [f"m*(v/18 + 1)**({k}/421)" for k in range(400, 442) if k != 421]
    for text in (*near, "2.0*m*v", "2.0*m*cos(v)"):
        collected.take(Proposal(parse(text), "scripted"))
    handed_on = collected.front
    assert {str(each.expression) for each in handed_on} >= {str(parse(text)) for text in near}
    found = [finding(wb.Discovery(data).suppose(each.expression, each.origin)) for each in handed_on]
    front = pareto(found)
    assert 32 <= len(front) < len(found)
    assert set(front) >= set(sorted(found, key=lambda each: each.length)[:20])


def test_the_error_of_a_search_is_that_of_its_shortest_description() -> None:
    data = dataset(n_rows=307, noise=0.05)
    collected = Collected(search_problem(data))
    assert collected.error == np.inf
    for text in ("1.0", "1.5*a/b**2"):
        collected.take(Proposal(parse(text), "scripted"))
    assert collected.error == pytest.approx(0.05 / np.hypot(1, 0.05), rel=0.15)


def test_rows_of_which_a_formula_leaves_hardly_anything_are_searched_on_before_textbooks_are_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty rows of a steep polynomial are no smooth curve to a surrogate, and yet they do not scatter."""
    x = np.linspace(-0.95, 0.9, 20)
    data = wb.Dataset.from_table({"x": x, "y": sum(x**k for k in range(1, 7))}, "y")
    assert scatters(search_problem(data))
    engine = Scripted("0.5*exp(3*x)", "x + x**2 + x**3 + x**4 + x**5 + x**6 + 0.0003*x", endless=True)
    monkeypatch.setattr(searching, "engine", lambda *_, **__: engine)
    monkeypatch.setattr(searching, "installed", lambda: ())
    monkeypatch.setattr(pilot, "_AT_ONCE", 0.3)
    looks = []
    monkeypatch.setattr(pilot._Run, "_search_until", lambda self, share: looks.append(share))
    search, clock = Search(data, Limits(), 0, lambda _: None), Clock(20.0, None)
    pilot._Run(search, Limits(), clock, 0, 0.3, (0.3, 0.7)).look(data)
    search.end()
    assert looks == [0.3]


def test_what_has_no_value_on_checked_rows_is_no_exact_law() -> None:
    data = dataset(n_rows=307)
    problem = search_problem(data)
    assert len(problem.X_checked)
    least = float(problem.X_checked[:, 0].max())  # no fitted row need lie beyond
    collected = Collected(problem)
    collected.take(Proposal(parse(f"1.5*a/b**2 + 0.0*log({least - 1e-3} - a)"), "scripted"))
    assert not collected.exact


def test_a_search_goes_on_where_an_exact_proposal_does_not_hold(use: Callable[..., None]) -> None:
    """A first law that no network can be made of, and a second one that comes later."""
    use(Scripted("1.5*a/b**2", "1.51*a/b**2", endless=True))
    search = Search(dataset(), Limits(), 0, print)
    search.run(lambda: False)
    assert search.exact
    list(search.news())
    search.doubt()
    assert not search.exact
    began = time.monotonic()
    search.run(lambda: time.monotonic() - began > 0.3)
    assert "1.51*a/b**2" in [str(p.expression) for p in search.news()]
    search.end()


def test_a_law_found_from_several_starts_is_counted() -> None:
    collected = Collected(search_problem(dataset(noise=0.05)))
    for text, origin, path in (("1.5*a/b**2", "screens", ("log y",)), ("1.501*a*b**-2", "screens", ("a/b",)), ("1.499*a/b**2", "operon", ()), ("1.5*a/b**2", "operon", ()), ("3.0*a", "x", ())):
        collected.take(Proposal(parse(text), origin, path))
    assert collected.starts(parse("1.5*a/b**2")) == 3
    assert collected.starts(parse("2.0*b")) == 0


def test_proposals_become_networks_with_their_origin_and_certificate() -> None:
    found = wb.Discovery(dataset())
    (one,) = adopted(found, [Proposal(parse("1.4*a/b**2"), "scripted"), Proposal(parse("log(a - 1.0)"), "scripted")], lambda: False)
    assert str(one.formula) == "y = 3*a/(2*b**2)"
    assert one.formula.certificate.exact
    assert found.go_to(one.state).state.move.arguments["origin"] == "scripted"


@pytest.fixture
def all_are_laws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever was found first passes for a law."""

    def taken_for_a_law(found: wb.Discovery, findings: list, *_: object) -> wb.Discovery:
        found.verdict = "law"
        return found.go_to(findings[0].state)

    monkeypatch.setattr(pilot, "concluded", taken_for_a_law)


@pytest.mark.parametrize(("noise", "settled"), [(0.0, False), (0.01, True)])
@pytest.mark.usefixtures("all_are_laws")
def test_an_imitation_without_scatter_does_not_end_the_search_even_where_it_passes_for_a_law(noise: float, settled: bool) -> None:
    a = np.linspace(0.1, 0.6, 97)
    y = np.exp(a / 3) + noise * np.random.default_rng(3).normal(size=97)
    found = wb.Discovery(wb.Dataset.from_table({"a": a, "y": y}, "y"))
    findings = list(adopted(found, [Proposal(parse("0.1*a**2 + 0.2*a + 1.0"), "scripted")], lambda: False))
    assert pilot._settled(found, findings, np.inf, None) is settled


@pytest.mark.parametrize(("text", "settled"), [("a*b/c", True), ("0.51*a*b/c", True), ("a*b/c + 0.013*c", False), ("a*(b + 0.02)/c", False)])
@pytest.mark.usefixtures("all_are_laws")
def test_of_many_inputs_a_fitted_term_is_given_more_time(text: str, settled: bool) -> None:
    a, b, c = np.random.default_rng(4).uniform(1.0, 3.0, (3, 211))
    values = evaluate(parse(text), {"a": a, "b": b, "c": c})
    found = wb.Discovery(wb.Dataset.from_table({"a": a, "b": b, "c": c, "y": values + 0.01 * np.random.default_rng(5).normal(size=211)}, "y"))
    assert pilot._settled(found, list(adopted(found, [Proposal(parse(text), "scripted")], lambda: False)), np.inf, None) is settled


def test_functions_and_length_bind_the_search() -> None:
    problem = search_problem(dataset(), functions=["gaussian", "x^2", "arcsin"], max_complexity=9)
    assert problem.functions == {"exp", "asin"}
    assert problem.max_complexity == 9


def test_a_function_that_is_none_is_refused_before_anything_is_searched() -> None:
    with pytest.raises(UnknownPrimitiveError, match="Did you mean 'log'"):
        wb.discover(dataset(), functions=["exp", "lgo"], time_budget=60)


def test_of_very_many_rows_a_sample_is_searched() -> None:
    problem = search_problem(dataset(n_rows=60_013))
    assert len(problem.y) == 10_000
    assert len(np.unique(problem.X[:, 0])) == 10_000
