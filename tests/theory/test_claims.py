"""Claims of docs/science/stability.md about training, as the study of the theory measures them."""

from __future__ import annotations

import numpy as np
import pytest

from studies import theory as study


def test_the_gain_of_weight_mirror_scales_with_variance_and_positions() -> None:
    assert study.mirror_gain(0, 1.0, padding=0) == pytest.approx(np.full((3, 3), 36), rel=0.03)
    assert study.mirror_gain(0, 0.5, padding=0).mean() == pytest.approx(9, rel=0.02)
    positions = np.outer([5, 6, 5], [5, 6, 5])
    assert study.mirror_gain(0, 1.0, padding=1) == pytest.approx(positions, rel=0.03)


@pytest.mark.parametrize(("side", "degrees"), [(8, 5), (4, 11), (2, 27)])
def test_in_a_padded_convolution_weight_mirror_is_tapered(side: int, degrees: int) -> None:
    found = np.mean([study.mirror_angle(seed, side) for seed in range(4)])
    assert found == pytest.approx(degrees, abs=1.5)


def test_means_and_correlations_misalign_weight_mirror() -> None:
    white, rectified, centred = (study.misalignment(kind, seed=0) for kind in study.INPUTS)
    assert white[0] < 10 < 30 < centred[0] < 45 < 60 < rectified[0]
    for _, ridge in (white, rectified, centred):
        assert 35 < ridge < 55
    small = [study.misalignment(kind, seed=0, scale=0.1)[1] for kind in study.INPUTS]
    assert small[0] < small[2] < small[1], "for small weights the decoder aligns with them"


def test_kolen_pollack_weights_converge_at_the_rate_of_their_decay() -> None:
    assert study.exponent_ratio(0) == pytest.approx(1, rel=0.01)


def test_kolen_pollack_weights_do_not_converge_if_only_one_decays() -> None:
    _, (w, b) = study.kolen_pollack(0, decay=0.02, matched=False)
    assert np.linalg.norm(b - w) > 0.5 * np.linalg.norm(w)
    _, (w, b) = study.kolen_pollack(0, decay=0.02, matched=True)
    assert np.linalg.norm(b - w) < 0.05 * np.linalg.norm(w)


@pytest.mark.parametrize("rule", ["kolen_pollack", "symmetric_alignment"])
def test_noise_accumulates_over_the_time_constant_of_decay(rule: str) -> None:
    assert study.noise_ratio(rule, seed=0) == pytest.approx(1, rel=0.1)
