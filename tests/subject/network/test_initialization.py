"""Initial weights depend on the seed of a subject alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

from tests.subject.cohorts import subject
from virtuallab.errors import UserError
from virtuallab.registry import ARCHITECTURES, TASKS
from virtuallab.subject.architecture import Architecture, Shape
from virtuallab.subject.network.initialization import (
    backward_network,
    forward_network,
    initialized_network,
    template_network,
)


@pytest.mark.parametrize("name", list(ARCHITECTURES))
def test_the_initial_weights_depend_on_the_seed_alone(name: str) -> None:
    architecture, task = ARCHITECTURES[name](), TASKS["digits"]()
    stream = torch.random.get_rng_state()
    first, again, other = (initialized_network(architecture, task, seed) for seed in (3, 3, 4))
    assert torch.equal(torch.random.get_rng_state(), stream)
    synapse = next(iter(architecture.sites(first).values())).synapse
    weights = [dict(m.named_modules())[synapse].weight for m in (first, again, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


class Backwards(nn.Module):
    """Its read-out is defined before its hidden layer."""

    def __init__(self) -> None:
        super().__init__()
        self.answer = nn.Linear(5, 10)
        self.hidden = nn.Linear(64, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.answer(self.hidden(x.flatten(1)))


@dataclass(frozen=True, kw_only=True)
class Misdefined(Architecture):
    name: ClassVar[str] = "misdefined"

    def build(self, stimulus_shape: Shape, classes: int) -> nn.Module:
        return Backwards()


def test_layers_defined_out_of_order_are_refused() -> None:
    with pytest.raises(UserError, match="'misdefined' defines layer 'answer' before 'hidden'"):
        template_network(Misdefined(), TASKS["digits"]())


class Functional(nn.Module):
    """Uses the weight of a layer in a function."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.answer = nn.Linear(64, 5), nn.Linear(5, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.answer(nn.functional.linear(x.flatten(1), self.hidden.weight))


class Uncalled(Misdefined):
    def build(self, stimulus_shape: Shape, outputs: int) -> nn.Module:
        return Functional()


def test_layers_that_are_not_called_are_refused() -> None:
    with pytest.raises(UserError, match="defines layer 'hidden' but does not call it"):
        template_network(Uncalled(), TASKS["digits"]())


@pytest.mark.parametrize("name", list(ARCHITECTURES))
def test_to_look_at_the_order_of_layers_leaves_no_trace(name: str) -> None:
    made = ARCHITECTURES[name](), TASKS["digits"]()
    looked_at, untouched = template_network(*made), initialized_network(*made, 0)
    assert looked_at.training == untouched.training
    for one, other in zip(
        looked_at.state_dict().values(), untouched.state_dict().values(), strict=True
    ):
        assert torch.equal(one, other)
    assert not any(module._forward_hooks for module in looked_at.modules())


def test_forward_and_backward_weights_are_independent_draws_of_the_subject() -> None:
    one, twin, other = subject("backprop"), subject("backprop"), subject("backprop", number=1)

    def weights(network: nn.Module) -> Tensor:
        return next(p for p in network.parameters() if p.ndim > 1)

    assert torch.equal(weights(forward_network(one)), weights(forward_network(twin)))
    assert torch.equal(weights(backward_network(one)), weights(backward_network(twin)))
    drawn = [forward_network(one), backward_network(one), forward_network(other)]
    flat = torch.stack([weights(network).flatten() for network in drawn])
    assert (torch.corrcoef(flat) - torch.eye(3)).abs().max() < 0.2
