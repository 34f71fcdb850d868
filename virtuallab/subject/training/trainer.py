"""Train one cohort and show it to a witness at each visit.

Training knows nothing of stores and probes: the witness decides what becomes of what it sees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import jaxtyping as jt
import numpy as np
import torch
from torch import Tensor, nn

from virtuallab import seeds
from virtuallab.errors import UserError
from virtuallab.subject.network.initialization import backward_network, forward_network
from virtuallab.subject.network.network import Network
from virtuallab.subject.network.parameter_layout import layout_of
from virtuallab.subject.network.population import layers_of, populate
from virtuallab.subject.network.random_streams import Streams
from virtuallab.subject.optimizer import Optimizer, State, change
from virtuallab.subject.rule import Rule, stack
from virtuallab.subject.subject import Cohort
from virtuallab.subject.task import Images
from virtuallab.subject.training import gradient_alignment as angles
from virtuallab.subject.training.compatibility import misfit, unmatched
from virtuallab.subject.training.evaluation import performance

_COMPARED = 32  # validation images on which gradients are compared at a visit


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
        (subject,); and what :func:`virtuallab.subject.training.gradient_alignment.measure` returns.
    """

    index: int
    step: int
    state: jt.Float[np.ndarray, "subject parameter"]
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

    diverged_at: jt.Int[np.ndarray, " subject"]
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
    """A cohort at its task: its network, the numbers of its rules, its running loss."""

    def __init__(self, cohort: Cohort, dtype: torch.dtype, device: str) -> None:
        self.subjects = cohort.subjects
        first = self.subjects[0]
        refusal = misfit(first.rule, first.architecture, first.task, first.loss)
        for subject in self.subjects:
            refusal = refusal or unmatched(subject)
        if refusal:
            raise UserError(refusal)
        self.dtype, self.device = dtype, device
        self.rule: Rule = stack([s.rule for s in self.subjects], dtype, device)
        population = populate(
            [forward_network(s) for s in self.subjects], self._seeds(seeds.DROPOUT)
        ).to(device, dtype)
        noise = Streams(self._seeds(seeds.RULE_NOISE))
        self.network = Network(population, noise, first.steps, first.loss)
        if self.rule.feedback:
            self._grow_feedback()
        self.optimizer, self.state = self._optimizer(
            [s.optimizer for s in self.subjects], self.network.parameters
        )
        self.feedback_optimizer, self.feedback_state = self._optimizer(
            [s.backward_optimizer for s in self.subjects], self.feedback
        )
        self.update_noise = Streams(self._seeds(seeds.UPDATE_NOISE))
        self.images = _moved(first.task.train(), dtype, device)
        self.validation = _moved(first.task.validation(), dtype, device)
        self.layout = layout_of(first.architecture, first.task)
        self.sites = tuple(
            site.synapse for site in first.architecture.sites(population).values()
        ) or tuple(self.network.layers)
        self.diverged_at = np.full(len(self.subjects), -1, dtype=np.int64)
        self.diverged_in: list[str | None] = [None] * len(self.subjects)
        self.loss = torch.zeros(len(self.subjects), dtype=torch.float64, device=device)
        self.counted = 0

    @property
    def population(self) -> nn.Module:
        """All subjects' networks as one module."""
        return self.network.population

    @property
    def feedback(self) -> list[Tensor]:
        """The backward weights that learn."""
        if not self.rule.learns_feedback:
            return []
        layers = self.network.layers.values()
        return [each.backward_weight for each in layers if each.backward_weight is not None]

    def _seeds(self, purpose: str) -> list[int]:
        return [seeds.integer(s.seed, s.key, purpose) for s in self.subjects]

    def _optimizer(
        self, each: Sequence[Optimizer], parameters: Sequence[Tensor]
    ) -> tuple[Optimizer, State]:
        stacked = stack(each, self.dtype, self.device)
        return stacked, stacked.init(parameters)

    def _grow_feedback(self) -> None:
        back = dict(layers_of(populate([backward_network(s) for s in self.subjects])))
        for name, layer in self.network.layers.items():
            layer.backward_weight = back[name].weight.detach().to(self.device, self.dtype)

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
        lesson = self.rule.lesson(self.network, stimuli, labels, step)
        with torch.no_grad():
            seen = lesson.losses
            gone = ~torch.isfinite(seen)
            broke = bool(gone.any())
            if broke:  # before the update, which spreads what is not finite to every layer
                self._mark(gone, step)
            for which, optimizer, parameters, steps, state in (
                ("forward", self.optimizer, self.network.parameters, lesson.forward, self.state),
                (
                    "backward",
                    self.feedback_optimizer,
                    self.feedback,
                    lesson.backward,
                    self.feedback_state,
                ),
            ):
                if steps is not None:
                    change(optimizer, parameters, steps, state, self.update_noise.of(which))
            if broke:
                self._silence(gone)
        self.loss += seen
        self.counted += 1

    def _mark(self, gone: Tensor, step: int) -> None:
        """Write down when and where these subjects left all bounds, if they had not before."""
        for place in torch.nonzero(gone).flatten().tolist():
            if self.diverged_at[place] < 0:
                self.diverged_at[place] = step
                self.diverged_in[place] = self._first_broken(place)

    def _silence(self, gone: Tensor) -> None:
        """Put these subjects at zero, where they cost no more than any other and say nothing."""
        kept = [*self.state.values(), *self.feedback_state.values()]
        state = [t for value in kept if isinstance(value, list) for t in value]
        for tensor in [
            *self.network.parameters,
            *self.feedback,
            *state,
            *self.network.memory.values(),
            *self.population.buffers(),
        ]:
            if tensor.dim() and len(tensor) == len(self.subjects):
                tensor[gone] = 0

    def _first_broken(self, place: int) -> str:
        """First layer with weights that are not finite, or else the one with the largest."""
        sizes = {
            n: float(layer.weight[place].abs().max()) for n, layer in self.network.layers.items()
        }
        broken = [name for name, size in sizes.items() if not np.isfinite(size)]
        return broken[0] if broken else max(sizes, key=lambda name: sizes[name])

    def visit(self, index: int, step: int) -> Visit:
        """Look at every subject."""
        # The last step before a visit may have broken a subject whose loss was still finite.
        gone = ~torch.isfinite(self.layout.flatten(self.population)).all(1)
        if bool(gone.any()):
            with torch.no_grad():
                self._mark(gone, step)
                self._silence(gone)
        loss, accuracy = performance(
            self.population, self.validation, len(self.subjects), self.subjects[0].loss
        )
        mean = self.loss / self.counted if self.counted else torch.full_like(self.loss, torch.nan)
        found = {
            "train_loss": mean,
            "validation_loss": loss,
            "validation_accuracy": accuracy,
            **angles.measure(self.rule, self.network, *self._shown(), self.sites),
        }
        truth = {name: values.cpu().numpy() for name, values in found.items()}
        state = self.layout.flatten(self.population).cpu().numpy()
        for seen in (state, *truth.values()):
            seen[self.diverged_at >= 0] = np.nan
        self.loss.zero_()
        self.counted = 0
        return Visit(index, step, state, truth)

    def _shown(self) -> tuple[Tensor, Tensor]:
        """A batch for all alike, on which to compare what they follow with the true gradient."""
        count = len(self.subjects)
        stimuli = self.validation.stimuli[:_COMPARED].repeat(1, count, 1, 1)
        return stimuli, self.validation.labels[:_COMPARED].unsqueeze(1).expand(-1, count)

    def fate(self) -> Fate:
        """Say what became of each subject."""
        return Fate(self.diverged_at, tuple(self.diverged_in))


def _moved(images: Images, dtype: torch.dtype, device: str) -> Images:
    return Images(images.stimuli.to(device, dtype), images.labels.to(device))
