"""Null models: what a recording shows where nothing is learned by a plasticity rule.

A null model makes a recordable subject from the preserved states of one that learned: its tuning
drifts, its gain changes, its weights walk at random, but no rule changes the hidden layers to
reduce a loss. A decoder that is
trained on recordings of these as well can answer that nothing was learned.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import jaxtyping as jt
import numpy as np
import torch
from torch import Tensor, nn

from virtuallab.subject.architecture import Architecture
from virtuallab.subject.network.build import sites_of
from virtuallab.subject.network.grouping import population_problem
from virtuallab.subject.network.initialization import template_network
from virtuallab.subject.network.layers.normalisation import PopulationBatchNorm
from virtuallab.subject.network.parameter_layout import ParameterLayout, parameter_layout
from virtuallab.subject.network.population import populate
from virtuallab.subject.preparation import PreparedSubject, prepare
from virtuallab.subject.task import Task

_NORMALISED_BY = 256  # training images from which running averages are taken

_AVERAGES = ("running_mean", "running_var")

Responses = jt.Float[np.ndarray, "stimulus unit"]


@dataclass(frozen=True, eq=False)
class Trajectory:
    """The preserved states of one subject that learned, from which null models are made.

    Parameters
    ----------
    architecture : Architecture
    task : Task
    states : array, (visit, parameter)
        All finite.
    steps : tuple of int, (visit,)
        Training step of each visit.
    """

    architecture: Architecture
    task: Task
    states: jt.Float[np.ndarray, "visit parameter"]
    steps: tuple[int, ...]

    @property
    def layout(self) -> ParameterLayout:
        """Position of each parameter in a state."""
        return parameter_layout(self.architecture, self.task)

    def draw_visit(self, generator: np.random.Generator) -> int:
        """A visit whose state a null model keeps: the first, the last or any, equally often."""
        last = len(self.states) - 1
        return [0, last, int(generator.integers(last + 1))][int(generator.integers(3))]

    def draw_pace(self, generator: np.random.Generator) -> jt.Float[np.ndarray, " visit"]:
        """Size of the change at each visit; the squares sum to 1, and nothing changes at visit 0.

        Changes are equally large at all visits, or as large as those of the subject's weights.
        """
        even = np.ones(len(self.states) - 1)
        own = np.linalg.norm(np.diff(self.states.astype(np.float64), axis=0), axis=1)
        chosen = own if generator.integers(2) and own.any() else even
        length = float(np.linalg.norm(chosen))
        return np.concatenate([[0.0], chosen / length if length else chosen])

    def still(self, visit: int) -> PreparedSubject:
        """The subject with the state of one visit at all visits, prepared for recording."""
        return self.prepared(np.repeat(self.states[visit : visit + 1], len(self.states), axis=0))

    def prepared(self, states: jt.Float[np.ndarray, "visit parameter"]) -> PreparedSubject:
        """The network with other states, prepared for recording."""
        return prepare(self.architecture, self.task, states.astype(self.states.dtype), None)

    def normalised(
        self, states: jt.Float[np.ndarray, "visit parameter"]
    ) -> jt.Float[np.ndarray, "visit parameter"]:
        """States whose batch normalisation has the running averages of training images."""
        if len(states) > 1 and population_problem(self.architecture, self.task):
            return np.concatenate([self.normalised(state[None]) for state in states])
        population = populate([template_network(self.architecture, self.task)] * len(states))
        norms = [m for m in population.modules() if isinstance(m, PopulationBatchNorm)]
        if not norms:
            return states
        self.layout.load(population, torch.from_numpy(states.astype(self.states.dtype)))
        for norm in norms:
            norm.momentum = 1.0  # the averages of these images alone
        images = self.task.train().stimuli[:_NORMALISED_BY]
        with torch.no_grad():
            population.train()(images.repeat(1, len(states), 1, 1))
        found: np.ndarray = self.layout.flatten(population).numpy()
        return found

    @property
    def weights(self) -> list[slice]:
        """Position of each tensor of the network in a state, without running averages."""
        entries = self.layout.entries
        return [slice(e.start, e.stop) for e in entries if not e.name.endswith(_AVERAGES)]

    @property
    def has_linear_end(self) -> bool:
        """True if the last layer is a dense layer."""
        network = template_network(self.architecture, self.task)
        return type(dict(network.named_modules())[self._last]) is nn.Linear

    def last_layer(self, state: jt.Float[np.ndarray, "1 parameter"]) -> nn.Linear:
        """The last layer, a dense one, with its weights in a state."""
        network = template_network(self.architecture, self.task)
        found = copy.deepcopy(dict(network.named_modules())[self._last])
        assert isinstance(found, nn.Linear)
        tensors = self.layout.tensors(torch.from_numpy(state.copy()))
        found.load_state_dict({n: tensors[f"{self._last}.{n}"][0] for n in found.state_dict()})
        return found

    def put_last_layer(self, state: jt.Float[np.ndarray, " parameter"], last: nn.Linear) -> None:
        """Write the weights of the last layer into a state."""
        entries = {entry.name: entry for entry in self.layout.entries}
        for name, tensor in last.state_dict().items():
            entry = entries[f"{self._last}.{name}"]
            state[entry.start : entry.stop] = tensor.numpy().ravel()

    def last_inputs(
        self, state: jt.Float[np.ndarray, "1 parameter"]
    ) -> jt.Float[Tensor, "image _"]:
        """Inputs of the last layer for all training images."""
        population = populate([template_network(self.architecture, self.task)]).eval()
        self.layout.load(population, torch.from_numpy(state))
        found: list[Tensor] = []
        last = dict(population.named_modules())[self._last]
        hook = last.register_forward_pre_hook(lambda _, inputs: found.append(inputs[0]))
        with torch.no_grad(), hook:
            population(self.task.train().stimuli)
        return found[0].flatten(1)

    @property
    def _last(self) -> str:
        """Path of the last layer, whose responses are the scores of the classes."""
        network = template_network(self.architecture, self.task)
        sites = sites_of(self.architecture, self.task, network)
        return list(sites.values())[-1].synapse


@dataclass(frozen=True)
class NullModel(ABC):
    """A way in which recordings change, or do not, although no rule trains the hidden layers.

    A subclass draws its own strength, over the range that its docstring states, so that recordings
    of one null model differ as subjects do.

    Attributes
    ----------
    name : str
        Registered name.
    trains_read_out : bool
        True if the last layer learns.
    starts_at_state : bool
        True if the hidden layers of the first visit respond as they do in a preserved state; false
        if responses are changed anew at each visit, also at the first.
    """

    name: ClassVar[str]
    starts_at_state: ClassVar[bool] = True
    trains_read_out: ClassVar[bool] = False

    def is_possible(self, trajectory: Trajectory) -> bool:
        """True if the null model can be made of a subject's network; by default of any.

        Parameters
        ----------
        trajectory : Trajectory

        Returns
        -------
        bool
        """
        del trajectory
        return True

    @abstractmethod
    def prepare(self, trajectory: Trajectory, generator: np.random.Generator) -> PreparedSubject:
        """A subject of this null model, prepared for recording.

        Parameters
        ----------
        trajectory : Trajectory
            States of a subject that learned; they are not to be changed.
        generator : numpy.random.Generator
            The only source of random numbers.

        Returns
        -------
        PreparedSubject
            With as many visits as the trajectory.
        """


def with_responses(
    prepared: PreparedSubject, change: Callable[[Responses], list[Responses]]
) -> PreparedSubject:
    """A still subject whose responses change as stated, and are not negative where they were not.

    Parameters
    ----------
    prepared : PreparedSubject
        Of :meth:`Trajectory.still`.
    change : callable
        From the responses of a layer, (stimulus, unit), to those at each visit.

    Returns
    -------
    PreparedSubject
    """
    responses = {}
    for layer, values in prepared.responses.items():
        visits = np.stack(change(values[0].astype(np.float64)))
        is_rectified = values[0].min() >= 0
        found = np.maximum(visits, 0) if is_rectified else visits
        responses[layer] = found.astype(values.dtype)
    return replace(prepared, responses=responses)


def log_uniform(generator: np.random.Generator, low: float, high: float) -> float:
    """A draw between two positive numbers, uniform in its logarithm."""
    return float(np.exp(generator.uniform(np.log(low), np.log(high))))
