"""Step limits, measured on the activity of a layer."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
import torch
from torch import Tensor

from studies import theory as study
from tests.theory.layers import LAYERS, MIXED, conv, dense, linear_map, matrices
from virtuallab import theory
from virtuallab.errors import VirtuallabWarning
from virtuallab.registry import OPTIMIZERS
from virtuallab.subject.learning.layer_view import LayerView
from virtuallab.subject.learning.primitives import alignment_gradient
from virtuallab.subject.network.random_streams import RandomStreams
from virtuallab.subject.optimizer import apply_updates
from virtuallab.subject.rule import stack_settings
from virtuallab.theory import Coefficients


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


def test_the_largest_curvature_of_decay_alone_is_twice_decay() -> None:
    at = dense(subjects=2)
    found = theory.largest_curvature(lambda view: 0.3 * 2 * view.backward_weight, at)
    torch.testing.assert_close(found, torch.full((2,), 0.6, dtype=torch.float64))


def test_the_largest_curvature_does_not_depend_on_constants_or_the_backward_weight() -> None:
    at, moved = (
        study.layer_view(at.synapse, at.pre, at.weight, at.backward_weight * scale)
        for at, scale in ((dense(), 1.0), (dense(), 50.0))
    )
    k = Coefficients(null=0.2, decay=0.1)
    driven = Coefficients(null=0.2, decay=0.1, self=7.0)
    first, other = (
        theory.measured_limit(k, at, mean=False),
        theory.measured_limit(k, moved, mean=False),
    )
    torch.testing.assert_close(first, other)
    torch.testing.assert_close(first, theory.measured_limit(driven, at, mean=False))


def test_a_rule_without_a_step_for_the_backward_weight_has_no_curvature() -> None:
    with pytest.raises(ValueError, match="no step for the backward weight"):
        theory.largest_curvature(lambda view: None, dense())


def test_a_curvature_that_does_not_converge_is_warned_of() -> None:
    def turned(view: LayerView) -> Tensor:
        """No gradient of an objective: a map that alternates between two curvatures."""
        rows = view.backward_weight.flatten(1)
        half = rows.shape[1] // 2
        made = torch.cat([2 * rows[:, half:], rows[:, :half]], dim=1)
        return made.reshape(view.backward_weight.shape)

    with pytest.warns(VirtuallabWarning, match="has not converged in 200 iterations"):
        theory.largest_curvature(turned, dense())
