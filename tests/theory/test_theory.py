from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
import torch
from torch import Tensor

from studies import theory as study
from virtuallab import theory
from virtuallab.registry import OPTIMIZERS, RULES
from virtuallab.subject.learning.layer_view import LayerView
from virtuallab.subject.learning.primitives import alignment_gradient
from virtuallab.subject.network.random_streams import RandomStreams
from virtuallab.subject.network.synapse import Conv, Dense
from virtuallab.subject.optimizer import apply_updates
from virtuallab.subject.rule import stack_settings
from virtuallab.theory import Coefficients

MIXED = Coefficients(decay=0.1, amp=0.3, null=0.2, sparse=0.4, self=0.5)
BOUNDED = theory.from_paper(amp=1.5, decay=1.0, null=1.0)


def dense(seed: int = 0, subjects: int = 1, x_scale: float = 1.0) -> LayerView:
    rng = np.random.default_rng(seed)
    x = x_scale * study.normal(rng, subjects, 50, 6)
    w, b = study.normal(rng, 2, subjects, 4, 6)
    return study.layer_view(Dense(), x, w, b)


def conv(seed: int = 0, subjects: int = 1) -> LayerView:
    rng = np.random.default_rng(seed)
    x = study.normal(rng, 10, subjects * 2, 7, 6).abs()
    w, b = study.normal(rng, 2, subjects, 4, 2, 3, 2)
    return study.layer_view(Conv((2, 1), (1, 1), (1, 1), 1, (7, 6)), x, w, b)


LAYERS = {"dense": dense, "conv": conv}


def matrices(at: LayerView) -> tuple[np.ndarray, np.ndarray]:
    return at.weight[0].numpy(), theory.second_moment(at.pre[0].numpy())


def linear_map(at: LayerView, k: Coefficients) -> np.ndarray:
    """Curvature as a matrix, column by column."""
    eye = torch.eye(at.backward_weight[0].numel(), dtype=torch.float64)
    columns = []
    for unit in (torch.zeros_like(eye[0]), *eye):
        moved = study.layer_view(at.synapse, at.pre, at.weight, unit.view_as(at.backward_weight))
        columns.append(alignment_gradient(moved, asdict(k), mean=False).flatten().numpy())
    return np.stack(columns[1:], 1) - columns[0][:, None]


# --- fixed forward weight


@pytest.mark.parametrize("k", [MIXED, *study.RESTING.values()])
def test_eigenvalues_equal_those_of_the_primitives_as_a_matrix(k: Coefficients) -> None:
    at = dense()
    found = theory.eigenvalues(k, *matrices(at))
    expected = np.linalg.eigvals(-linear_map(at, k)).real
    np.testing.assert_allclose(np.sort(found.ravel()), np.sort(expected), atol=1e-10)


@pytest.mark.parametrize("rule", study.RESTING)
def test_training_converges_to_the_fixed_point(rule: str) -> None:
    assert study.rest_error(rule, seed=0) < 1e-5


def test_the_gradient_at_the_fixed_point_of_any_mix_is_zero() -> None:
    at = dense()
    rest = torch.from_numpy(theory.fixed_point(MIXED, *matrices(at)))[None]
    there = study.layer_view(at.synapse, at.pre, at.weight, rest)
    assert alignment_gradient(there, asdict(MIXED), mean=False).abs().max() < 1e-12


def test_the_fixed_point_of_information_alignment_is_the_ridge_decoder() -> None:
    w, c = matrices(dense())
    k = Coefficients(amp=2e-3, null=1e-3, decay=1e-3)
    ridge = np.linalg.solve(w @ c @ w.T + np.eye(4), w @ c)
    np.testing.assert_allclose(theory.fixed_point(k, w, c), ridge)


def test_the_fixed_point_of_activation_alignment_is_the_projected_forward_weight() -> None:
    rng = np.random.default_rng(0)
    w, x = rng.standard_normal((4, 6)), rng.standard_normal((3, 6))
    rest = theory.fixed_point(Coefficients(amp=2.0, sparse=1.0), w, theory.second_moment(x))
    onto = np.linalg.pinv(x) @ x
    np.testing.assert_allclose(rest, w @ onto, atol=1e-10)


@pytest.mark.parametrize(
    "k",
    [Coefficients(amp=1.0), Coefficients(self=1.0), Coefficients(self=1.0, null=1.0, sparse=1.0)],
    ids=["amp", "self", "self on a direction without input"],
)
def test_growth_without_bound_has_no_fixed_point(k: Coefficients) -> None:
    rng = np.random.default_rng(0)
    w, x = rng.standard_normal((4, 6)), rng.standard_normal((3, 6))
    with pytest.raises(ValueError, match="grows without bound"):
        theory.fixed_point(k, w, theory.second_moment(x))


def test_the_gain_of_each_mode_equals_that_of_the_fixed_point() -> None:
    w, _ = matrices(dense())
    rest = theory.fixed_point(MIXED, w, 0.7 * np.eye(6))
    left, s, right = np.linalg.svd(w, full_matrices=False)
    gains = np.diag(left.T @ rest @ right.T) / s
    np.testing.assert_allclose(theory.gain(MIXED, s, variance=0.7), gains)


def test_with_null_the_backward_weight_stays_below_its_bound() -> None:
    s, c = np.logspace(-3, 3, 601), 0.7
    k = Coefficients(amp=0.3, null=0.2, decay=0.1)
    backward = theory.gain(k, s, variance=c) * s
    assert backward.max() == pytest.approx(k.amp / 4 * (c / k.null / k.decay) ** 0.5, rel=1e-3)


# --- step limits


def converges(at: LayerView, k: Coefficients, *, rate: float, **momentum: float) -> bool:
    """True if gradient descent with an optimizer converges."""
    sgd = stack_settings([OPTIMIZERS["sgd"](learning_rate=rate, **momentum)], torch.float64)
    b = at.backward_weight.clone()
    state, streams = sgd.init([b]), RandomStreams([0])
    sizes = []
    for _ in range(600):
        step = alignment_gradient(
            study.layer_view(at.synapse, at.pre, at.weight, b), asdict(k), mean=False
        )
        apply_updates(sgd, [b], [step], state, streams)
        sizes.append(float(step.norm()))
    return sizes[-1] < 1e-3 * max(sizes)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("k", [MIXED, Coefficients(amp=0.2, null=0.1, decay=0.1)])
def test_gradient_descent_converges_below_the_limit_and_not_above(
    k: Coefficients, layer: str, momentum: float, nesterov: bool
) -> None:
    at = LAYERS[layer]()
    [limit] = theory.measured_limit(
        k, at, mean=False, momentum=momentum, nesterov=nesterov
    ).tolist()
    settings = {"momentum": momentum, "nesterov": nesterov}
    assert converges(at, k, rate=0.97 * limit, **settings)
    assert not converges(at, k, rate=1.03 * limit, **settings)


@pytest.mark.parametrize("k", [MIXED, *study.RESTING.values()])
def test_the_measured_limit_of_a_dense_layer_equals_the_closed_form(k: Coefficients) -> None:
    at = dense()
    [found] = theory.measured_limit(k, at, mean=False, momentum=0.5).tolist()
    assert found == pytest.approx(theory.step_limit(k, *matrices(at), momentum=0.5), rel=1e-3)


@pytest.mark.parametrize("k", [MIXED, Coefficients(null=1.0), Coefficients(sparse=1.0)])
def test_the_measured_limit_of_a_convolution_equals_that_of_the_matrix(k: Coefficients) -> None:
    at = conv()
    [found] = theory.measured_limit(k, at, mean=False).tolist()
    assert found == pytest.approx(2 / np.linalg.eigvalsh(linear_map(at, k)).max(), rel=1e-3)


def test_the_mean_over_positions_multiplies_the_limit_by_their_number() -> None:
    at, k = conv(), Coefficients(null=1.0)
    summed, meant = (theory.measured_limit(k, at, mean=mean) for mean in (False, True))
    torch.testing.assert_close(meant, summed * at.positions)


@pytest.mark.parametrize("layer", LAYERS)
def test_each_subject_has_its_own_limit(layer: str) -> None:
    at, k = LAYERS[layer](subjects=3), Coefficients(null=1.0, decay=0.1)
    together = theory.measured_limit(k, at, mean=False)

    def alone(subject: int) -> Tensor:
        x = at.pre[subject][None] if layer == "dense" else at.pre[:, 2 * subject : 2 * subject + 2]
        own = (t[subject][None] for t in (at.weight, at.backward_weight))
        one = study.layer_view(at.synapse, x, *own)
        return theory.measured_limit(k, one, mean=False)

    torch.testing.assert_close(together, torch.cat([alone(s) for s in range(3)]), rtol=1e-3, atol=0)


def test_the_limit_without_decay_is_infinite() -> None:
    at, k = dense(), Coefficients(amp=1.0)
    assert theory.step_limit(k, *matrices(at)) == float("inf")
    assert theory.measured_limit(k, at, mean=False).tolist() == [float("inf")]


def test_coefficients_of_a_rule_are_zero_where_it_has_none() -> None:
    rule = RULES["information_alignment"](amp=0.3, null=0.2, decay=0.1)
    assert theory.coefficients_of(rule) == Coefficients(amp=0.3, null=0.2, decay=0.1)
    assert theory.coefficients_of(RULES["backprop"]()) == Coefficients()


# --- both weights together


@pytest.mark.parametrize("c", [np.eye(3), np.diag([0.5, 1.0, 2.0])], ids=["white", "not white"])
def test_origin_eigenvalues_equal_those_of_the_jacobian(c: np.ndarray) -> None:
    zero = np.zeros((2, 3))
    numerical = np.linalg.eigvals(study.joint_jacobian(MIXED, zero, zero, c)).real
    both = np.concatenate(theory.origin_eigenvalues(MIXED, c))
    np.testing.assert_allclose(np.sort(numerical), np.sort(np.tile(both, 2)), atol=1e-6)


@pytest.mark.parametrize("variance", [1.0, 1.7])
@pytest.mark.parametrize("sign", [1, -1])
def test_symmetric_eigenvalues_equal_those_of_the_jacobian(variance: float, sign: int) -> None:
    at = sign * np.full((1, 1), theory.symmetric_point(BOUNDED, variance=variance))
    c = np.full((1, 1), variance)
    assert max(np.abs(v).max() for v in theory.joint_flow(BOUNDED, at, at, c)) < 1e-12
    numerical = np.linalg.eigvals(study.joint_jacobian(BOUNDED, at, at, c)).real
    claimed = theory.symmetric_eigenvalues(BOUNDED, variance=variance)
    np.testing.assert_allclose(np.sort(numerical), np.sort(claimed), atol=1e-6)


def test_published_coefficients_have_the_published_eigenvalues() -> None:
    symmetric, antisymmetric = theory.origin_eigenvalues(
        theory.from_paper(amp=1.5, decay=1.0), np.eye(1)
    )
    assert (symmetric.item(), antisymmetric.item()) == (-1.0 + 1.5, -1.0 - 1.5)
    assert theory.symmetric_eigenvalues(BOUNDED) == (-2 * (1.5 - 1.0), -2 * 1.0)
    assert theory.symmetric_point(BOUNDED) == pytest.approx(((1.5 - 1.0) / 1.0) ** 0.5)


def scalar(w: float, b: float, k: Coefficients, time: float = 30) -> tuple[float, float]:
    later = study.integrate(k, np.full((1, 1), w), np.full((1, 1), b), np.eye(1), time)
    return later[0].item(), later[1].item()


def test_a_scalar_weight_mirror_diverges_collapses_or_is_constant() -> None:
    w, b = scalar(0.1, -0.05, theory.from_paper(amp=1.5, decay=1.0))
    assert w > 1e4
    assert b == pytest.approx(w)
    assert abs(scalar(0.1, -0.05, theory.from_paper(amp=0.5, decay=1.0))[0]) < 1e-6
    constant = scalar(0.1, -0.05, theory.from_paper(amp=1.0, decay=1.0))
    assert constant == pytest.approx((0.025, 0.025))


@pytest.mark.parametrize(("w", "b", "sign"), [(0.1, -0.05, 1), (0.05, -0.1, -1), (3.0, 0.0, 1)])
def test_scalar_information_alignment_converges_to_a_symmetric_point(
    w: float, b: float, sign: int
) -> None:
    rest = sign * theory.symmetric_point(BOUNDED)
    assert scalar(w, b, BOUNDED) == pytest.approx((rest, rest), rel=1e-6)


def test_matrices_behave_as_the_scalars() -> None:
    mirror = theory.from_paper(amp=1.5, decay=1.0)
    assert study.growth_rate(mirror, seed=0) == pytest.approx(0.5, rel=1e-6)
    assert max(study.symmetric_error(BOUNDED, seed=0)) < 1e-6


@pytest.mark.parametrize(
    ("k", "reason"),
    [
        (Coefficients(amp=1.0, decay=0.1), "without null"),
        (Coefficients(amp=1.0, decay=0.6, null=1.0), "decay to zero"),
    ],
)
def test_no_symmetric_point_without_null_or_with_strong_decay(k: Coefficients, reason: str) -> None:
    for function in (theory.symmetric_point, theory.symmetric_eigenvalues):
        with pytest.raises(ValueError, match=reason):
            function(k)


# --- training


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
