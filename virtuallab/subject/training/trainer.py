"""Training of one cohort, with a callback at each visit.

Training knows nothing of stores and probes: the callback decides what to do with a visit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from virtuallab import seeds
from virtuallab.errors import UserError
from virtuallab.subject.network.initialization import backward_network, forward_network
from virtuallab.subject.network.layer import layers_of
from virtuallab.subject.network.network import Network
from virtuallab.subject.network.parameter_layout import parameter_layout
from virtuallab.subject.network.population import populate
from virtuallab.subject.network.random_streams import RandomStreams
from virtuallab.subject.optimizer import Optimizer, State, apply_updates
from virtuallab.subject.rule import Rule, stack_settings
from virtuallab.subject.subject import Cohort
from virtuallab.subject.task import Images
from virtuallab.subject.training.compatibility import incompatibility, optimizer_incompatibility
from virtuallab.subject.training.evaluation import evaluate
from virtuallab.subject.training.gradient_alignment import gradient_alignment
from virtuallab.subject.training.outcome import TrainingOutcome, Visit

_COMPARED = 32  # validation images on which gradients are compared at a visit


def train(
    cohort: Cohort,
    visits: Sequence[int],
    on_visit: Callable[[Visit], None],
    *,
    dtype: torch.dtype = torch.float32,
    device: str = "cpu",
) -> TrainingOutcome:
    """Train the subjects of a cohort together.

    The trajectory of a subject depends only on the subject. One that diverges is stopped, and its
    neighbours continue bit for bit as if it had not.

    Parameters
    ----------
    cohort : Cohort
    visits : sequence of int
        Training steps after which the callback is called, ascending; 0 is before training.
    on_visit : callable
        Called with a :class:`Visit` at each of them.
    dtype : torch.dtype
        Precision of the arithmetic.
    device : str
        ``"cpu"`` or ``"cuda"``.

    Returns
    -------
    TrainingOutcome

    Raises
    ------
    UserError
        If the rule cannot be used in these networks, with this loss or these optimizers.
    """
    trainer = CohortTrainer(cohort, dtype, device)
    index_of = {step: index for index, step in enumerate(visits)}
    batches = trainer.batches()
    for step in range(max(visits) + 1):
        if step in index_of:
            on_visit(trainer.visit(index_of[step], step))
        if step < max(visits):
            trainer.training_step(*next(batches), step)
    return trainer.outcome()


class CohortTrainer:
    """A cohort in training: its network, settings, optimizers and running loss.

    Parameters
    ----------
    cohort : Cohort
    dtype : torch.dtype
    device : str

    Raises
    ------
    UserError
        If the rule cannot be used in these networks, with this loss or these optimizers.
    """

    def __init__(self, cohort: Cohort, dtype: torch.dtype, device: str) -> None:
        self.subjects = cohort.subjects
        first = self.subjects[0]
        refusal = incompatibility(first.rule, first.architecture, first.task, first.loss)
        for subject in self.subjects:
            refusal = refusal or optimizer_incompatibility(subject)
        if refusal:
            raise UserError(refusal)
        self.dtype, self.device = dtype, device
        self.rule: Rule = stack_settings([s.rule for s in self.subjects], dtype, device)
        population = populate(
            [forward_network(s) for s in self.subjects], self._seeds(seeds.DROPOUT)
        ).to(device, dtype)
        noise = RandomStreams(self._seeds(seeds.RULE_NOISE))
        self.network = Network(population, noise, first.steps, first.loss)
        if self.rule.feedback:
            self._add_backward_weights()
        self.optimizer, self.optimizer_state = self._optimizer(
            [s.optimizer for s in self.subjects], self.network.parameters
        )
        self.feedback_optimizer, self.feedback_optimizer_state = self._optimizer(
            [s.backward_optimizer for s in self.subjects], self.backward_weights
        )
        self.update_noise = RandomStreams(self._seeds(seeds.UPDATE_NOISE))
        self.images = _moved(first.task.train(), dtype, device)
        self.validation = _moved(first.task.validation(), dtype, device)
        self.layout = parameter_layout(first.architecture, first.task)
        self.recorded_layers = tuple(
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
    def backward_weights(self) -> list[Tensor]:
        """The backward weights that learn, one for each layer; empty if they do not."""
        if not self.rule.learns_feedback:
            return []
        layers = self.network.layers.values()
        return [each.backward_weight for each in layers if each.backward_weight is not None]

    def _seeds(self, purpose: str) -> list[int]:
        return [seeds.integer(s.seed, s.key, purpose) for s in self.subjects]

    def _optimizer(
        self, each: Sequence[Optimizer], parameters: Sequence[Tensor]
    ) -> tuple[Optimizer, State]:
        stacked = stack_settings(each, self.dtype, self.device)
        return stacked, stacked.init(parameters)

    def _add_backward_weights(self) -> None:
        backward = dict(layers_of(populate([backward_network(s) for s in self.subjects])))
        for name, layer in self.network.layers.items():
            layer.backward_weight = backward[name].weight.detach().to(self.device, self.dtype)

    def batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Stimuli ``(batch, subject*channel, ...)`` and labels ``(batch, subject)``, without end.

        Each subject goes through the training images in an order of its own, a new one in each
        epoch; images left over from full batches are dropped.
        """
        size, count = self.subjects[0].batch_size, len(self.images.labels)
        streams = [seeds.generator(s.seed, s.key, seeds.DATA_ORDER) for s in self.subjects]
        while True:
            orders = np.stack([stream.permutation(count) for stream in streams], axis=1)
            chosen = torch.from_numpy(orders).to(self.device)
            for first in range(0, count - size + 1, size):
                which = chosen[first : first + size]
                yield self.images.stimuli[which].flatten(1, 2), self.images.labels[which]

    def training_step(self, stimuli: Tensor, labels: Tensor, step: int) -> None:
        """Compute the updates of one batch and apply them.

        Parameters
        ----------
        stimuli : Tensor, (batch, subject*channel, height, width)
        labels : Tensor, (batch, subject)
        step : int
            Number of training steps before this one.
        """
        updates = self.rule.compute_updates(self.network, stimuli, labels, step)
        own, feedback = self.optimizer_state, self.feedback_optimizer_state
        with torch.no_grad():
            diverged = ~torch.isfinite(updates.losses)
            any_diverged = bool(diverged.any())
            if any_diverged:  # before the update, which spreads what is not finite to every layer
                self._note_divergence(diverged, step)
            for name, optimizer, parameters, steps, state in (
                ("forward", self.optimizer, self.network.parameters, updates.forward, own),
                (
                    *("backward", self.feedback_optimizer, self.backward_weights),
                    *(updates.backward, feedback),
                ),
            ):
                if steps is not None:
                    noise = self.update_noise.for_purpose(name)
                    apply_updates(optimizer, parameters, steps, state, noise)
            if any_diverged:
                self._set_to_zero(diverged)
        self.loss += updates.losses
        self.counted += 1

    def _note_divergence(self, diverged: Tensor, step: int) -> None:
        for place in torch.nonzero(diverged).flatten().tolist():
            if self.diverged_at[place] < 0:
                self.diverged_at[place] = step
                self.diverged_in[place] = self._first_broken_layer(place)

    def _set_to_zero(self, diverged: Tensor) -> None:
        """Set everything of these subjects to zero, which keeps arithmetic fast and finite."""
        kept = [*self.optimizer_state.values(), *self.feedback_optimizer_state.values()]
        for tensor in [
            *self.network.parameters,
            *self.backward_weights,
            *(tensor for value in kept if isinstance(value, list) for tensor in value),
            *self.network.memory.values(),
            *self.population.buffers(),
        ]:
            if tensor.dim() and len(tensor) == len(self.subjects):
                tensor[diverged] = 0

    def _first_broken_layer(self, place: int) -> str:
        layers = self.network.layers.items()
        sizes = {name: float(layer.weight[place].abs().max()) for name, layer in layers}
        broken = [name for name, size in sizes.items() if not np.isfinite(size)]
        return broken[0] if broken else max(sizes, key=lambda name: sizes[name])

    def visit(self, index: int, step: int) -> Visit:
        """Evaluate every subject; the running loss starts anew.

        Parameters
        ----------
        index, step : int
            Number of the visit, and of the training steps before it.
        """
        # The last step before a visit may have broken a subject whose loss was still finite.
        diverged = ~torch.isfinite(self.layout.flatten(self.population)).all(1)
        if bool(diverged.any()):
            with torch.no_grad():
                self._note_divergence(diverged, step)
                self._set_to_zero(diverged)
        count = len(self.subjects)
        loss, accuracy = evaluate(self.population, self.validation, count, self.subjects[0].loss)
        mean = self.loss / self.counted if self.counted else torch.full_like(self.loss, torch.nan)
        # The same batch for all subjects, on which updates are compared with the true gradient.
        stimuli = self.validation.stimuli[:_COMPARED].repeat(1, count, 1, 1)
        labels = self.validation.labels[:_COMPARED].unsqueeze(1).expand(-1, count)
        found = {
            "train_loss": mean,
            "validation_loss": loss,
            "validation_accuracy": accuracy,
            **gradient_alignment(self.rule, self.network, stimuli, labels, self.recorded_layers),
        }
        evaluation = {name: values.cpu().numpy() for name, values in found.items()}
        state = self.layout.flatten(self.population).cpu().numpy()
        for values in (state, *evaluation.values()):
            values[self.diverged_at >= 0] = np.nan
        self.loss.zero_()
        self.counted = 0
        return Visit(index, step, state, evaluation)

    def outcome(self) -> TrainingOutcome:
        """How the training of each subject ended."""
        return TrainingOutcome(self.diverged_at, tuple(self.diverged_in))


def _moved(images: Images, dtype: torch.dtype, device: str) -> Images:
    return Images(images.stimuli.to(device, dtype), images.labels.to(device))
