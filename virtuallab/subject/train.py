"""Train one cohort and show it to a witness at each visit.

Training knows nothing of stores and probes: the witness decides what becomes of what it sees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from virtuallab import seeds
from virtuallab.subject.birth import backward_network, forward_network
from virtuallab.subject.credit import Tape
from virtuallab.subject.local import Local
from virtuallab.subject.population import PopulationLayer, layers_of, populate
from virtuallab.subject.rule import Credit, Rule, stack
from virtuallab.subject.state import layout_of
from virtuallab.subject.subject import Cohort
from virtuallab.subject.task import Images
from virtuallab.subject.truth import angle, cross_entropy, performance


@dataclass(frozen=True)
class Visit:
    """A moment of training.

    Parameters
    ----------
    index, step : int
        Which visit, and after how many training steps.
    state : array, (subject, parameter)
        Every subject's parameters and running averages; NaN once it has diverged.
    truth : mapping from name to array
        ``train_loss`` (mean since the last visit), ``validation_loss``, ``validation_accuracy``:
        (subject,). ``weight_angle`` in degrees: (subject, layer), NaN where there is one weight
        only.
    """

    index: int
    step: int
    state: Float[np.ndarray, "subject parameter"]
    truth: dict[str, np.ndarray]


@dataclass(frozen=True)
class Fate:
    """What became of each subject.

    Parameters
    ----------
    diverged_at : array, (subject,)
        Step at which its loss, or its state, was no longer finite; -1 if that never happened.
    diverged_in : tuple of str or None
        First layer with weights that were not finite, or else the layer with the largest.
    """

    diverged_at: Int[np.ndarray, " subject"]
    diverged_in: tuple[str | None, ...]


def train(
    cohort: Cohort,
    visits: Sequence[int],
    witness: Callable[[Visit], None],
    *,
    dtype: torch.dtype = torch.float32,
    device: str = "cpu",
) -> Fate:
    """Train the subjects of a cohort together.

    A subject's trajectory depends on nothing but the subject. One that diverges is stopped and its
    neighbours go on, bit for bit as if it had not.

    Parameters
    ----------
    cohort : Cohort
    visits : sequence of int
        Training steps after which to show the cohort, ascending, 0 before learning.
    witness : callable
        Called with a :class:`Visit` at each of them.
    dtype : torch.dtype
        Precision of the arithmetic.
    device : str
        ``"cpu"`` or ``"cuda"``.

    Returns
    -------
    Fate
    """
    room = Room(cohort, dtype, device)
    wanted = {step: index for index, step in enumerate(visits)}
    batches = room.batches()
    for step in range(max(visits) + 1):
        if step in wanted:
            witness(room.visit(wanted[step], step))
        if step < max(visits):
            room.learn(*next(batches), step)
    return room.fate()


class Room:
    """A cohort at its task: its population, the numbers of its rules, its running loss."""

    def __init__(self, cohort: Cohort, dtype: torch.dtype, device: str) -> None:
        self.subjects = cohort.subjects
        first = self.subjects[0]
        self.dtype, self.device = dtype, device
        self.rule: Rule = stack([s.rule for s in self.subjects], dtype, device)
        self.optimizer = stack([s.optimizer for s in self.subjects], dtype, device)
        self.population = populate(
            [forward_network(s) for s in self.subjects],
            [seeds.integer(s.seed, s.key, seeds.DROPOUT) for s in self.subjects],
        ).to(device, dtype)
        self.layers = dict(layers_of(self.population))
        if self.rule.credit is Credit.FEEDBACK:
            self._grow_feedback()
        if self.rule.watches:
            for layer in self.layers.values():
                layer.tape = Tape()
        self.parameters = list(self.population.parameters())
        self.feedback = [
            layer.backward_weight for layer in self._watched() if layer.backward_weight is not None
        ]
        self.state = self.optimizer.init([*self.parameters, *self.feedback])
        self.images = _moved(first.task.train(), dtype, device)
        self.validation = _moved(first.task.validation(), dtype, device)
        self.layout = layout_of(first.architecture, first.task)
        self.sites = tuple(
            site.synapse for site in first.architecture.sites(self.population).values()
        ) or tuple(self.layers)
        self.diverged_at = np.full(len(self.subjects), -1, dtype=np.int64)
        self.diverged_in: list[str | None] = [None] * len(self.subjects)
        self.loss = torch.zeros(len(self.subjects), dtype=torch.float64, device=device)
        self.counted = 0

    def _grow_feedback(self) -> None:
        back = dict(layers_of(populate([backward_network(s) for s in self.subjects])))
        for name, layer in self.layers.items():
            layer.backward_weight = back[name].weight.detach().to(self.device, self.dtype)

    def _watched(self) -> Iterator[PopulationLayer]:
        return iter(self.layers.values() if self.rule.watches else ())

    def batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Stimuli ``(batch, subject*channel, ...)`` and labels ``(batch, subject)``, without end.

        Each subject goes through the training images in an order of its own, anew in each epoch;
        what is left over from full batches is dropped.
        """
        size, count = self.subjects[0].batch_size, len(self.images.labels)
        streams = [seeds.generator(s.seed, s.key, seeds.DATA_ORDER) for s in self.subjects]
        while True:
            orders = np.stack([stream.permutation(count) for stream in streams], axis=1)
            chosen = torch.from_numpy(orders).to(self.device)
            for first in range(0, count - size + 1, size):
                which = chosen[first : first + size]
                yield self.images.stimuli[which].flatten(1, 2), self.images.labels[which]

    def learn(self, stimuli: Tensor, labels: Tensor, step: int) -> None:
        """One training step."""
        scores = self.population(stimuli).view(*labels.shape, -1)
        losses = cross_entropy(scores, labels)
        seen = losses.detach()
        gradients = list(torch.autograd.grad(losses.sum(), self.parameters))
        with torch.no_grad():
            gone = ~torch.isfinite(seen)
            broke = bool(gone.any())
            if broke:  # before the update, which spreads what is not finite to every layer
                self._mark(gone, step)
            steps = [*self._forward_steps(gradients), *self._backward_steps()]
            self.optimizer.update([*self.parameters, *self.feedback], steps, self.state)
            if broke:
                self._silence(gone)
        self.loss += seen
        self.counted += 1

    def _forward_steps(self, gradients: list[Tensor]) -> list[Tensor]:
        """What each parameter follows: its gradient, or what the rule makes of a weight's."""
        if type(self.rule).forward_step is Rule.forward_step:
            return gradients
        of = {id(p): i for i, p in enumerate(self.parameters)}
        for layer in self.layers.values():
            place = of[id(layer.weight)]
            gradients[place] = self.rule.forward_step(_local(layer, gradients[place]))
        return gradients

    def _backward_steps(self) -> list[Tensor]:
        steps = []
        for layer in self._watched():
            step = self.rule.backward_step(_local(layer, layer.weight))
            if step is not None:
                steps.append(step)
        return steps

    def _mark(self, gone: Tensor, step: int) -> None:
        """Write down when and where these subjects left all bounds, if they had not before."""
        for place in torch.nonzero(gone).flatten().tolist():
            if self.diverged_at[place] < 0:
                self.diverged_at[place] = step
                self.diverged_in[place] = self._first_broken(place)

    def _silence(self, gone: Tensor) -> None:
        """Put these subjects at zero, where they cost no more than any other and say nothing."""
        state = [t for value in self.state.values() if isinstance(value, list) for t in value]
        for tensor in [*self.parameters, *self.feedback, *state, *self.population.buffers()]:
            if tensor.dim() and len(tensor) == len(self.subjects):
                tensor[gone] = 0

    def _first_broken(self, place: int) -> str:
        """First layer with weights that are not finite, or else the one with the largest."""
        sizes = {n: float(layer.weight[place].abs().max()) for n, layer in self.layers.items()}
        broken = [name for name, size in sizes.items() if not np.isfinite(size)]
        return broken[0] if broken else max(sizes, key=lambda name: sizes[name])

    @torch.no_grad()
    def visit(self, index: int, step: int) -> Visit:
        """Look at every subject."""
        # The last step before a visit may have broken a subject whose loss was still finite.
        gone = ~torch.isfinite(self.layout.flatten(self.population)).all(1)
        if bool(gone.any()):
            self._mark(gone, step)
            self._silence(gone)
        loss, accuracy = performance(self.population, self.validation, len(self.subjects))
        mean = self.loss / self.counted if self.counted else torch.full_like(self.loss, torch.nan)
        angles = np.stack([self._angle(name) for name in self.sites], axis=1)
        truth = {
            "train_loss": mean.cpu().numpy(),
            "validation_loss": loss.cpu().numpy(),
            "validation_accuracy": accuracy.cpu().numpy(),
            "weight_angle": angles,
        }
        state = self.layout.flatten(self.population).cpu().numpy()
        for seen in (state, *truth.values()):
            seen[self.diverged_at >= 0] = np.nan
        self.loss.zero_()
        self.counted = 0
        return Visit(index, step, state, truth)

    def _angle(self, name: str) -> np.ndarray:
        layer = self.layers[name]
        if layer.backward_weight is None:
            return np.full(len(self.subjects), np.nan)
        return angle(layer.weight.detach(), layer.backward_weight).cpu().numpy()

    def fate(self) -> Fate:
        """Say what became of each subject."""
        return Fate(self.diverged_at, tuple(self.diverged_in))


def _local(layer: PopulationLayer, pseudogradient: Tensor) -> Local:
    tape = layer.tape
    assert tape is not None
    assert tape.synapse is not None
    assert tape.pre is not None
    assert tape.post is not None
    assert tape.error is not None
    return Local(
        synapse=tape.synapse,
        pre=tape.pre.detach(),
        post=tape.post.detach(),
        error=tape.error,
        forward=layer.weight.detach(),
        backward=layer.weight.detach() if layer.backward_weight is None else layer.backward_weight,
        bias=None if layer.bias is None else layer.bias.detach(),
        pseudogradient=pseudogradient,
    )


def _moved(images: Images, dtype: torch.dtype, device: str) -> Images:
    return Images(images.stimuli.to(device, dtype), images.labels.to(device))
