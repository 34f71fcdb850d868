from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from tests.subject.cohorts import batch, conv, mlp, normalised, smooth
from tests.subject.nets import NETS, images
from tests.subject.network.test_chain import PATHWAYS, overlapping, residual, unusual
from virtuallab.registry import LOSSES
from virtuallab.subject.network.layers.normalisation import PopulationBatchNorm
from virtuallab.subject.network.network import Network
from virtuallab.subject.network.pathways import FeedbackPathway
from virtuallab.subject.network.population import populate
from virtuallab.subject.network.precision import (
    full_precision,
    mixed_precision,
    operands,
    promoted,
)
from virtuallab.subject.network.random_streams import RandomStreams

# Significant bits of bfloat16: 8, so that a number is rounded by half of 2**-7 of it at most.
ROUNDING = 2**-8
CHAINS = {f.__name__: f for f in (mlp, smooth, conv, normalised, unusual, overlapping, residual)}
NORMS: dict[str, Callable[[], nn.Module]] = {
    "batch": lambda: nn.BatchNorm2d(6),
    "instance": lambda: nn.InstanceNorm2d(6, affine=True, track_running_stats=True),
    "group": lambda: nn.GroupNorm(3, 6),
    "layer": lambda: nn.LayerNorm((6, 4, 4)),
    "local response": lambda: nn.LocalResponseNorm(3, alpha=1.0),
}


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def network(make: Callable[[], nn.Module], subjects: int = 2) -> Network:
    """Network in float32 with backward weights."""
    modules = []
    for seed in range(2 * subjects):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            modules.append(make())
    made, backward = (
        Network(populate(each), RandomStreams(range(50, 50 + subjects)), 10, LOSSES["nt_xent"]())
        for each in (modules[:subjects], modules[subjects:])
    )
    for layer, other in zip(made.layers.values(), backward.layers.values(), strict=True):
        layer.backward_weight = other.weight.detach()
    return made


def test_operands_of_one_precision_are_used_as_they_are() -> None:
    x, w = normal(3), normal(2)
    assert [id(each) for each in operands(x, w)] == [id(x), id(w)]


def test_operands_of_several_precisions_take_the_lowest() -> None:
    assert {each.dtype for each in operands(normal(3), normal(2).bfloat16())} == {torch.bfloat16}


def test_operands_are_rounded_in_mixed_precision_and_only_there() -> None:
    x, w = normal(3), normal(2)
    with mixed_precision("cpu"):
        assert {each.dtype for each in operands(x, w)} == {torch.bfloat16}
        assert {each.dtype for each in operands(x.double(), w.double())} == {torch.float64}
        assert torch.mm(x.view(1, 3), x.view(3, 1)).dtype == torch.bfloat16
        with full_precision(x):
            assert operands(x, w)[0] is x
            assert torch.mm(x.view(1, 3), x.view(3, 1)).dtype == torch.float32
        assert operands(x, w)[0].dtype == torch.bfloat16
    assert operands(x, w)[0] is x


def test_a_tensor_is_promoted_to_float32_and_never_rounded() -> None:
    assert promoted(normal(2).bfloat16()).dtype == torch.float32
    for x in (normal(2), normal(2).double()):
        assert promoted(x) is x


def test_a_weight_that_changes_within_a_step_is_not_remembered() -> None:
    weight, x = nn.Parameter(torch.ones(1, 1)), torch.ones(1, 1)
    with mixed_precision("cpu"):
        assert nn.functional.linear(x, weight).item() == 1
        with torch.no_grad():
            weight.fill_(2)
        assert nn.functional.linear(x, weight).item() == 2


@pytest.mark.parametrize("norm", NORMS)
def test_statistics_of_a_normalisation_are_in_float32(norm: str) -> None:
    made = populate([NORMS[norm](), NORMS[norm]()])
    # A mean that is large beside the deviation: statistics in bfloat16 would be wrong by a third.
    x = (normal(5, 12, 4, 4) + 30 * (norm != "local response")).bfloat16()
    state = {name: value.clone() for name, value in made.state_dict().items()}
    expected = made(x.float())
    after = {name: value.clone() for name, value in made.state_dict().items()}
    made.load_state_dict(state)
    with mixed_precision("cpu"):
        found = made(x)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), expected, rtol=ROUNDING, atol=1e-4)
    for name, value in made.state_dict().items():
        assert value.dtype == torch.float32
        torch.testing.assert_close(value, after[name], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("pathway", PATHWAYS)
@pytest.mark.parametrize("net", CHAINS)
def test_a_chain_is_rounded_as_automatic_differentiation_is(net: str, pathway: str) -> None:
    stimuli, labels = batch(2, count=8)
    found = []
    for by_chain in (True, False):
        made = network(CHAINS[net])
        assert made._chain is not None
        if not by_chain:
            made._chain = None
        with mixed_precision("cpu"):
            losses, gradients = made.loss_and_gradients(
                stimuli.float(), labels, PATHWAYS[pathway]()
            )
        assert {losses.dtype, *(each.dtype for each in gradients)} == {torch.float32}
        found.append([losses, *gradients])
    size = max(float(each.abs().max()) for each in found[0])
    for one, other in zip(*found, strict=True):
        # Sums of two branches are rounded once more in one of them.
        torch.testing.assert_close(one, other, rtol=4 * ROUNDING, atol=2 * ROUNDING * size)


@pytest.mark.parametrize("net", NETS)
def test_every_kind_of_layer_returns_gradients_close_to_those_of_float32(net: str) -> None:
    made = network(NETS[net])
    stimuli, labels = images(0, 12, 2).float(), torch.zeros(12, 2, dtype=torch.int64)
    with made.state_restored():
        expected = made.loss_and_gradients(stimuli, labels, FeedbackPathway(record=True))
    with mixed_precision("cpu"):
        found = made.loss_and_gradients(stimuli, labels, FeedbackPathway(record=True))
    torch.testing.assert_close(found[0], expected[0], rtol=0.01, atol=0)
    one, other = (
        torch.cat([each.flatten() for each in gradients]) for _, gradients in (found, expected)
    )
    assert one.dtype == torch.float32
    assert not torch.equal(one, other)
    # A fraction of about 2**-8 of the units have another sign before a ReLU, or another largest
    # input of a pooling, and another derivative. The error is its root, 1/16, for each such layer.
    assert float((one - other).norm() / other.norm()) < 0.2


def test_batch_normalisation_keeps_its_running_averages_in_float32() -> None:
    made = network(normalised)
    with mixed_precision("cpu"):
        made.scores(batch(2)[0].float())
    [first, *_] = [m for m in made.population.modules() if isinstance(m, PopulationBatchNorm)]
    assert first.running_mean is not None
    assert first.running_mean.dtype == torch.float32
    assert not torch.equal(first.running_mean, first.running_mean.bfloat16().float())


def test_noise_and_memories_of_rounded_signals_are_in_float32() -> None:
    made = network(mlp)
    signal = normal(2, 4, 5).bfloat16()
    assert made.noise_like(signal).dtype == torch.float32
    assert made.remember("trace", signal).dtype == torch.float32
    assert torch.equal(
        RandomStreams([1]).normal((3,), signal), RandomStreams([1]).normal((3,), signal.float())
    )
