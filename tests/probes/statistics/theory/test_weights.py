"""The geometry of plasticity, from weights that were changed in a known one."""

from __future__ import annotations

import numpy as np
import pytest

from virtuallab.probes.statistics.theory.weights import weight_theory

SYNAPSES, VISITS, STEPS = 4000, 4, 30


def learned(update, seed: int = 0, synapses: int = SYNAPSES) -> np.ndarray:
    """Weights (visit, synapse) after many small updates by random gradients."""
    stream = np.random.default_rng(seed)
    weights = [stream.standard_normal(synapses)]
    for _ in range(VISITS - 1):
        now = weights[-1].copy()
        for _ in range(STEPS):
            now = update(now, 0.02 * stream.standard_normal(synapses))
        weights.append(now)
    return np.stack(weights)


UPDATES = {
    "additive": lambda w, g: w - g,
    "multiplicative": lambda w, g: w * np.exp(-np.sign(w) * g),
    "cubic": lambda w, g: np.sign(w) * np.maximum(np.abs(w) - np.sign(w) * g / np.abs(w), 1e-3),
}


def last(name: str, update: str, **how: int) -> float:
    return float(weight_theory(learned(UPDATES[update], **how))[f"theory_weight_{name}"][-1])


@pytest.mark.parametrize("name", ["slope_last", "slope_start"])
def test_the_slope_is_the_power_with_which_changes_grow_with_the_weight(name):
    assert last(name, "additive") == pytest.approx(0, abs=0.05)
    assert last(name, "multiplicative") == pytest.approx(1, abs=0.05)
    assert last(name, "cubic") < -0.3  # 2 - p with p = 3 is -1, for small changes


@pytest.mark.parametrize("name", ["correlation_last", "correlation_start"])
def test_changes_are_correlated_with_the_weight_if_updates_multiply(name):
    assert last(name, "additive") == pytest.approx(0, abs=0.05)
    assert last(name, "multiplicative") > 0.6


def test_changes_are_gaussian_in_the_geometry_of_the_updates():
    for update, other in (("additive", "multiplicative"), ("multiplicative", "additive")):
        assert last(f"gaussian_{update}", update) == pytest.approx(0, abs=0.03)
        assert last(f"gaussian_{other}", update) < -0.1
    assert last("gaussian_contrast", "additive") < -0.1
    assert last("gaussian_contrast", "multiplicative") > 0.1


def test_only_additive_updates_change_signs():
    assert last("sign_kept", "multiplicative") == 1
    weights = learned(UPDATES["additive"])
    share = (np.sign(weights[-1]) == np.sign(weights[0])).mean()
    assert 0.7 < share < 0.99
    assert last("sign_kept", "additive") == share


@pytest.mark.parametrize("update", ["additive", "multiplicative"])
def test_a_sample_of_synapses_tells_what_all_of_them_tell(update):
    weights = learned(UPDATES[update])
    whole, sample = weight_theory(weights), weight_theory(weights[:, :400])
    for name, values in whole.items():
        np.testing.assert_allclose(sample[name], values, atol=0.15, err_msg=name)


def test_what_did_not_change_has_no_geometry():
    still = weight_theory(np.tile(np.arange(1.0, 6.0), (3, 1)))
    assert still.pop("theory_weight_sign_kept").tolist() == [1, 1, 1]
    for name, values in still.items():
        assert values[0] == 0, name
        assert np.isnan(values[1:]).all(), name


def test_weights_that_only_decay_have_a_slope_and_no_distribution():
    start = np.random.default_rng(0).standard_normal(50)
    found = weight_theory(np.stack([start, 0.9 * start]))
    assert found["theory_weight_slope_last"][1] == pytest.approx(1)
    assert np.isnan(found["theory_weight_gaussian_multiplicative"][1])
    assert np.isfinite(found["theory_weight_gaussian_additive"][1])
