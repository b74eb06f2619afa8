import numpy as np
import pytest
from numpy.testing import assert_allclose

from tests.snapping.conftest import held_out, leave_one_out, one_edge
from workbench.exceptions import SnapError
from workbench.snapping import candidates, stability


def test_a_clean_law_is_chosen_every_time() -> None:
    x = np.random.default_rng(0).uniform(-1, 1, (1, 211))
    problem = held_out(x, np.tanh(2 * x), 151)
    ranked = candidates(one_edge(problem), (0, 0, 0), problem)
    found = stability(ranked, problem, np.random.default_rng(1), n_draws=20)
    assert next(iter(found.chosen)) in ("tanh", "logistic")
    assert found.chosen["tanh"] + found.chosen.get("logistic", 0) == 1.0


def test_forms_that_noise_hides_share_the_draws() -> None:
    generator = np.random.default_rng(2)
    x = generator.uniform(0.5, 2, 31)
    problem = leave_one_out(x, np.sqrt(x) + 0.15 * generator.normal(size=31))
    ranked = candidates(one_edge(problem, 1e-2), (0, 0, 0), problem, roughness=1e-2)
    found = stability(ranked, problem, np.random.default_rng(3), n_draws=50)
    assert_allclose(sum(found.chosen.values()), 1.0)
    assert sum(share > 0 for share in found.chosen.values()) >= 2
    assert list(found.chosen.values()) == sorted(found.chosen.values(), reverse=True)


def test_the_same_generator_gives_the_same_shares(kepler) -> None:
    ranked = candidates(one_edge(kepler), (0, 0, 0), kepler)
    first, second = (stability(ranked, kepler, np.random.default_rng(4)) for _ in range(2))
    assert first == second


def test_previews_have_nothing_to_choose_from(kepler) -> None:
    ranked = candidates(one_edge(kepler), (0, 0, 0), kepler)
    previews = [c for c in ranked if not c.refitted]
    with pytest.raises(SnapError, match="none of these candidates was refitted"):
        stability(previews, kepler, np.random.default_rng(0))
