from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from virtuallab.registry import RULES
from virtuallab.subject.learning.layer_view import LayerView
from virtuallab.subject.learning.primitives import (
    PRIMITIVES,
    alignment_gradient,
    amp,
    decay,
    null,
    self_,
    sparse,
)
from virtuallab.subject.network.synapse import Conv, Dense, Synapse
from virtuallab.subject.rule import stack_settings

SUBJECTS, BATCH = 3, 4
STREAM = torch.Generator().manual_seed(0)


def normal(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=STREAM)


def dense_case() -> tuple[
    Synapse, Tensor, Tensor, Tensor, Callable[..., Tensor], Callable[..., Tensor]
]:
    """Maps of one subject as plain matrix products."""
    x, w, b = normal(SUBJECTS, BATCH, 5), normal(SUBJECTS, 6, 5), normal(SUBJECTS, 6, 5)
    return Dense(), x, w, b, lambda x, w: x @ w.T, lambda z, b: z @ b


def conv_case(**geometry: tuple[int, int]):  # type: ignore[no-untyped-def]
    """Maps of one subject as plain, ungrouped convolutions."""
    settings = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1)} | geometry
    x, w = normal(BATCH, SUBJECTS * 2, 7, 6), normal(SUBJECTS, 4, 2, 3, 2)
    b = normal(SUBJECTS, 4, 2, 3, 2)
    synapse = Conv(**settings, groups=1, field=(7, 6))

    def back(z: Tensor, b: Tensor) -> Tensor:
        return torch.nn.grad.conv2d_input((BATCH, 2, 7, 6), b, z, **settings)

    return synapse, x, w, b, lambda x, w: F.conv2d(x, w, **settings), back


CASES = {
    "dense": dense_case,
    "conv": conv_case,
    "strided and padded conv": lambda: conv_case(stride=(2, 3), padding=(1, 1)),
    "dilated conv": lambda: conv_case(dilation=(2, 1), padding=(2, 0)),
}

OBJECTIVES = {
    amp: lambda x, w, b, forward, back: -(forward(x, w) * forward(x, b)).sum() / BATCH,
    null: lambda x, w, b, forward, back: back(forward(x, w), b).square().sum() / BATCH,
    decay: lambda x, w, b, forward, back: b.square().sum(),
    sparse: lambda x, w, b, forward, back: forward(x, b).square().sum() / BATCH,
    self_: lambda x, w, b, forward, back: -(w * b).sum(),
}


def view_of(synapse: Synapse, x: Tensor, w: Tensor, b: Tensor) -> LayerView:
    bias = normal(SUBJECTS, w.shape[1])
    post = synapse.project(x, w, bias)
    return LayerView(
        synapse=synapse, pre=x, post=post, error=post, weight=w, backward_weight=b, bias=bias,
        pseudogradient=w,
    )  # fmt: skip


def one(x: Tensor, subject: int) -> Tensor:
    return x[subject] if x.dim() == 3 else x[:, 2 * subject : 2 * subject + 2]


@pytest.mark.parametrize("primitive", OBJECTIVES, ids=lambda f: f.__name__)
@pytest.mark.parametrize("case", CASES)
def test_a_primitive_is_the_gradient_of_its_objective(primitive, case: str) -> None:  # type: ignore[no-untyped-def]
    synapse, x, w, b, forward, back = CASES[case]()
    found = primitive(view_of(synapse, x, w, b))
    for subject in range(SUBJECTS):
        b_of_subject = b[subject].clone().requires_grad_()
        OBJECTIVES[primitive](one(x, subject), w[subject], b_of_subject, forward, back).backward()
        torch.testing.assert_close(found[subject], b_of_subject.grad, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("mean", [False, True], ids=["sum", "mean"])
@pytest.mark.parametrize("case", CASES)
def test_the_gradient_of_any_mix_of_primitives_is_that_of_their_sum(case: str, mean: bool) -> None:
    synapse, x, w, b, forward, back = CASES[case]()
    at = view_of(synapse, x, w, b)
    places = forward(one(x, 0), w[0])[0, 0].numel() if mean else 1
    strengths = torch.rand(len(PRIMITIVES), SUBJECTS, dtype=torch.float64, generator=STREAM)
    strengths[:, 1] *= torch.tensor(
        [0, 1, 0, 1, 1]
    )  # a subject may have other primitives than the others
    given = dict(zip(PRIMITIVES, strengths, strict=True))
    pieces: dict[str, list[Tensor]] = {}
    for name, primitive in PRIMITIVES.items():
        pieces[name] = []
        for subject in range(SUBJECTS):
            b_of_subject = b[subject].clone().requires_grad_()
            objective = OBJECTIVES[primitive](
                one(x, subject), w[subject], b_of_subject, forward, back
            )
            share = places if name in ("amp", "null", "sparse") else 1
            (gradient,) = torch.autograd.grad(objective / share, b_of_subject)
            pieces[name].append(given[name][subject] * gradient)
    for count in range(1, len(PRIMITIVES) + 1):
        for mix in combinations(PRIMITIVES, count):
            expected = torch.stack(
                [sum(each) for each in zip(*(pieces[n] for n in mix), strict=True)]
            )
            found = alignment_gradient(at, {name: given[name] for name in mix}, mean=mean)
            torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)
    assert not alignment_gradient(at, dict.fromkeys(PRIMITIVES, 0.0), mean=mean).any()


@pytest.mark.parametrize("positions", ["sum", "mean"])
def test_information_alignment_weights_its_primitives_for_each_subject(positions: str) -> None:
    synapse, x, w, b, _, _ = CASES["strided and padded conv"]()
    at = view_of(synapse, x, w, b)
    kind = RULES["information_alignment"]
    coefficients = [(0.1, 0.2, 0.3), (0.4, 0.0, 0.5), (0.0, 0.6, 0.0)]
    rules = [kind(amp=a, null=n, decay=d, positions=positions) for a, n, d in coefficients]
    step = stack_settings(rules, torch.float64).backward_step(at)
    places = at.post.shape[-1] * at.post.shape[-2] if positions == "mean" else 1
    for subject, (a, n, d) in enumerate(coefficients):
        expected = (a * amp(at) + n * null(at)) / places + d * decay(at)
        torch.testing.assert_close(step[subject], expected[subject])


def test_the_fixed_point_of_information_alignment_is_the_ridge_decoder() -> None:
    synapse, x, w, _, _, _ = dense_case()
    rule = RULES["information_alignment"](amp=2e-3, null=1e-3, decay=1e-3)  # as published
    b = torch.zeros_like(w)
    for _ in range(800):
        b = b - 20 * rule.backward_step(view_of(synapse, x, w, b))
    for subject in range(SUBJECTS):
        z = x[subject] @ w[subject].T
        ridge = torch.linalg.solve(
            z.T @ z / BATCH + torch.eye(6, dtype=torch.float64), z.T @ x[subject] / BATCH
        )
        torch.testing.assert_close(b[subject], ridge, rtol=1e-6, atol=1e-8)
