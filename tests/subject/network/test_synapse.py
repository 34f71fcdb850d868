"""Linear maps of a layer: adjoints of one another, and independent for each subject."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from virtuallab.subject.network.synapse import Conv, Dense, Pointwise, Synapse, TransposedConv

DIVERGED, SUBJECTS, BATCH = 1, 5, 4


GEOMETRIES = {
    "padded": Conv((1, 1), (1, 1), (1, 1), 1, (9, 9)),
    "strided": Conv((2, 2), (0, 0), (1, 1), 1, (9, 9)),
    "dilated": Conv((1, 1), (2, 2), (2, 2), 1, (9, 9)),
    "grouped": Conv((2, 1), (1, 0), (1, 1), 2, (9, 9)),
    "transposed": TransposedConv((2, 1), (1, 1), (1, 0), (1, 2), 1, (9, 9)),
    "transposed in groups": TransposedConv((1, 2), (0, 0), (0, 0), (1, 1), 2, (9, 9)),
    "at every position": Pointwise(),
}


def channels(geometry: str, pre: int) -> int:
    """Channels of one subject's input, for weights of ``pre`` channels."""
    return pre * getattr(GEOMETRIES[geometry], "groups", 1)


def kernel(geometry: str) -> tuple[int, ...]:
    return () if geometry == "at every position" else (3, 3)


def other_signals(signal: Tensor) -> Tensor:
    """Signals of all subjects except the diverged one."""
    by_subject = signal.reshape(BATCH, SUBJECTS, -1).transpose(0, 1)
    return by_subject[[place for place in range(SUBJECTS) if place != DIVERGED]]


def other_weights(weight: Tensor) -> Tensor:
    return weight[[place for place in range(SUBJECTS) if place != DIVERGED]]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("pre", [1, 3, 8, 16])  # kernels that pack channels might pack subjects
@pytest.mark.parametrize("post", [6, 16])
@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_groups_of_a_convolution_are_independent(
    geometry: str, post: int, pre: int, value: float
) -> None:
    synapse, stream = GEOMETRIES[geometry], torch.Generator().manual_seed(0)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=stream)

    width = channels(geometry, pre)
    x = normal(BATCH, SUBJECTS * width, 9, 9).contiguous(memory_format=torch.channels_last)
    w, b = (normal(SUBJECTS, post, pre, *kernel(geometry)) for _ in range(2))
    bias = normal(SUBJECTS, post)
    error = torch.randn(synapse.project(x, w).shape, generator=stream)

    def all_maps() -> tuple[Tensor, ...]:
        z = synapse.project(x, w, bias)
        down, step = synapse.backpropagate(error, x, b, downward=True)
        assert down is not None
        return (
            other_signals(z),
            other_signals(down),
            other_signals(synapse.reconstruct(z, b)),
            other_weights(step),
        )

    before = all_maps()
    for signal, units in ((x, width), (error, post)):
        signal[:, DIVERGED * units : (DIVERGED + 1) * units] = value
    for weight in (w, b, bias):
        weight[DIVERGED] = value
    for old, new in zip(before, all_maps(), strict=True):
        assert torch.equal(old, new)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_subjects_of_a_dense_layer_are_independent(value: float) -> None:
    stream = torch.Generator().manual_seed(0)
    x, w, error = (
        torch.randn(*shape, generator=stream)
        for shape in ((SUBJECTS, BATCH, 7), (SUBJECTS, 6, 7), (SUBJECTS, BATCH, 6))
    )
    synapse = Dense()

    def all_maps() -> tuple[Tensor, ...]:
        down, step = synapse.backpropagate(error, x, w, downward=True)
        assert down is not None
        return other_weights(synapse.project(x, w)), other_weights(down), other_weights(step)

    before = all_maps()
    for tensor in (x, w, error):
        tensor[DIVERGED] = value
    for old, new in zip(before, all_maps(), strict=True):
        assert torch.equal(old, new)


def inner(one: Tensor, other: Tensor) -> float:
    return float((one * other).sum())


@pytest.mark.parametrize("pre", [1, 2])
@pytest.mark.parametrize("kind", ["dense", *GEOMETRIES])
def test_reconstruction_and_correlation_are_the_adjoints_of_projection(kind: str, pre: int) -> None:
    stream = torch.Generator().manual_seed(1)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=stream, dtype=torch.float64)

    synapse: Synapse = Dense() if kind == "dense" else GEOMETRIES[kind]
    if kind == "dense":
        x, w = normal(SUBJECTS, BATCH, 7 * pre), normal(SUBJECTS, 6, 7 * pre)
    else:
        x = normal(BATCH, SUBJECTS * channels(kind, pre), 9, 9)
        w = normal(SUBJECTS, 6, pre, *kernel(kind))
    response = synapse.project(x, w)
    z = torch.randn(response.shape, generator=stream, dtype=torch.float64)
    product = inner(z, response)
    assert inner(synapse.reconstruct(z, w), x) == pytest.approx(product)
    step = synapse.correlate(x, z, w)
    assert inner(step, w) == pytest.approx(product)
    down, same = synapse.backpropagate(z, x, w, downward=True)
    assert down is not None
    torch.testing.assert_close(down, synapse.reconstruct(z, w))
    torch.testing.assert_close(same, step)
    assert synapse.backpropagate(z, x, w, downward=False)[0] is None


@pytest.mark.parametrize("kind", ["dense", "strided", "grouped", "at every position"])
def test_a_bias_is_used_at_each_sample_and_position(kind: str) -> None:
    x, w = torch.ones(SUBJECTS, BATCH, 7), torch.ones(SUBJECTS, 6, 7)
    synapse: Synapse = Dense()
    if kind != "dense":
        synapse = GEOMETRIES[kind]
        x = torch.ones(BATCH, SUBJECTS * channels(kind, 2), 9, 9)
        w = torch.ones(SUBJECTS, 6, 2, *kernel(kind))
    bias = torch.arange(SUBJECTS * 6.0).view(SUBJECTS, 6)
    added = synapse.project(x, w, bias) - synapse.project(x, w)
    positions = {"dense": 1, "strided": 16, "grouped": 35, "at every position": 81}[kind]
    assert synapse.positions(added) == positions
    torch.testing.assert_close(synapse.sum_batch(added, SUBJECTS), BATCH * positions * bias)


@pytest.mark.parametrize("geometry", ["transposed", "transposed in groups"])
def test_positions_of_a_transposed_convolution_are_those_of_its_input(geometry: str) -> None:
    synapse = GEOMETRIES[geometry]
    x = torch.ones(BATCH, channels(geometry, 1), 9, 9)
    weight = torch.zeros(1, 2, 1, 3, 3)
    weight[0, 0, 0, 1, 1] = 1
    response = synapse.project(x, weight)
    assert synapse.positions(response) == 81
    assert response[0].sum() == pytest.approx(81)
