"""Training of one cohort, with a callback at each visit.

Training does not depend on stores or probes: the callback decides what is done with a visit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from virtuallab import seeds
from virtuallab.errors import UserError
from virtuallab.subject.network.grouping import population_problem
from virtuallab.subject.network.initialization import backward_network, forward_network
from virtuallab.subject.network.layer import layers_of
from virtuallab.subject.network.network import Network
from virtuallab.subject.network.parameter_layout import floating_tensors, parameter_layout
from virtuallab.subject.network.population import populate
from virtuallab.subject.network.precision import mixed_precision
from virtuallab.subject.network.random_streams import RandomStreams
from virtuallab.subject.optimizer import Optimizer, State, apply_updates, with_scaled_rates
from virtuallab.subject.rule import Rule, Updates, stack_settings
from virtuallab.subject.subject import Cohort, pretrained_alone
from virtuallab.subject.training.batch import batch_of
from virtuallab.subject.training.compatibility import (
    incompatibility,
    optimizer_incompatibility,
    precision_incompatibility,
)
from virtuallab.subject.training.evaluation import CohortEvaluation
from virtuallab.subject.training.gradient_alignment import gradient_alignment
from virtuallab.subject.training.outcome import TrainingOutcome, Visit
from virtuallab.vocabulary import CONSTANT, PERFORMANCE, SINGLE

_GRADIENT_IMAGES = 32  # validation images on which updates and gradients are compared


def train(
    cohort: Cohort,
    visits: Sequence[int],
    on_visit: Callable[[Visit], None],
    *,
    dtype: torch.dtype = torch.float32,
    device: str = "cpu",
) -> TrainingOutcome:
    """Train the subjects of a cohort together.

    The trajectory of a subject does not depend on its cohort. A subject that diverges is stopped;
    the other subjects continue unchanged, bit for bit.

    Parameters
    ----------
    cohort : Cohort
    visits : sequence of int
        Training steps after which ``on_visit`` is called, ascending; 0 is before training, and
        after any pretraining.
    on_visit : callable
        Receives a :class:`Visit`.
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
        If the rule cannot be used in these networks, with this loss or these optimizers, or if
        these networks cannot be one population.
    """
    trainer = CohortTrainer(cohort, dtype, device)
    trainer.start_from(_pretrained(cohort, dtype, device))
    index_of = {step: index for index, step in enumerate(visits)}
    batches = trainer.batches()
    for step in range(max(visits) + 1):
        if step in index_of:
            on_visit(trainer.visit(index_of[step], step))
        if step < max(visits) and not trainer.has_diverged:
            trainer.training_step(*next(batches), step)
    return trainer.outcome()


class CohortTrainer:
    """A cohort in training: its network, settings, optimizers and running loss.

    Attributes
    ----------
    follows_schedule : bool
        Whether the schedules of the subjects change the learning rates.
    """

    follows_schedule = True

    def __init__(self, cohort: Cohort, dtype: torch.dtype, device: str) -> None:
        self.subjects = cohort.subjects
        first = self.subjects[0]
        problem = incompatibility(first.rule, first.architecture, first.task, first.loss)
        for subject in self.subjects:
            problem = problem or optimizer_incompatibility(subject)
            problem = problem or precision_incompatibility(subject)
        alone = population_problem(first.architecture, first.task)
        if len(self.subjects) > 1:
            problem = problem or alone
        if problem:
            raise UserError(problem)
        self.dtype, self.device = dtype, device
        self.rule: Rule = stack_settings([s.rule for s in self.subjects], dtype, device)
        population = populate(
            [forward_network(s) for s in self.subjects], self._seeds(seeds.DROPOUT)
        ).to(device, dtype)
        noise = RandomStreams(self._seeds(seeds.RULE_NOISE))
        loss = first.task.loss(first.loss)
        self.network = Network(population, noise, first.steps, loss)
        if self.rule.feedback:
            self._add_backward_weights()
        self.optimizer, self.optimizer_state = self._optimizer(
            [s.optimizer for s in self.subjects], self.network.parameters
        )
        self.feedback_optimizer, self.feedback_optimizer_state = self._optimizer(
            [s.backward_optimizer for s in self.subjects], self.backward_weights
        )
        self.update_noise = RandomStreams(self._seeds(seeds.UPDATE_NOISE))
        self.images = first.task.train().to(dtype, device)
        validation = first.task.validation().to(dtype, device)
        self.evaluation = CohortEvaluation(first.architecture, first.task, self.images, validation)
        self.layout = parameter_layout(first.architecture, first.task)
        self.recorded_layers = tuple(
            kernel.removesuffix(".weight") for kernel in self.layout.kernels
        )
        self.diverged_at = np.full(len(self.subjects), -1, dtype=np.int64)
        self.diverged_in: list[str | None] = [None] * len(self.subjects)
        self.loss = torch.zeros(len(self.subjects), dtype=torch.float64, device=device)
        self.loss_steps = 0

    def start_from(self, pretrained: Sequence[CohortTrainer]) -> None:
        """Take over weights and running averages of subjects that have learned something else.

        Tensors of another name or shape stay as they are: the read-out of a task with another
        number of classes, or a head. Backward weights, the state of the optimizer and memories of
        the rule are not taken over. A subject that diverged in the pretraining has diverged at
        step 0.

        Parameters
        ----------
        pretrained : sequence of CohortTrainer
            Which have all subjects, in their order; empty if there is no pretraining.
        """
        if not pretrained:
            return
        found = [dict(floating_tensors(each.population)) for each in pretrained]
        with torch.no_grad():
            for name, tensor in floating_tensors(self.population):
                parts = [tensors[name] for tensors in found if name in tensors]
                if parts and (learned := torch.cat(parts)).shape == tensor.shape:
                    tensor.copy_(learned)
            outcomes = [each.outcome() for each in pretrained]
            diverged = np.concatenate([each.diverged_at for each in outcomes]) >= 0
            self.diverged_at[diverged] = 0
            self.diverged_in = [layer for each in outcomes for layer in each.diverged_in]
            self._set_to_zero(torch.from_numpy(diverged).to(self.device))

    @property
    def population(self) -> nn.Module:
        """Networks of all subjects as one module."""
        return self.network.population

    @property
    def has_diverged(self) -> bool:
        """True if every subject has diverged, after which nothing is left to train."""
        return bool((self.diverged_at >= 0).all())

    @property
    def backward_weights(self) -> list[Tensor]:
        """Backward weight of each layer if the rule changes them; otherwise empty."""
        layers = self.network.layers.values() if self.rule.learns_feedback else ()
        return [each.backward_weight for each in layers if each.backward_weight is not None]

    def _seeds(self, purpose: str) -> list[int]:
        return [seeds.integer(s.seed, *s.stream(purpose)) for s in self.subjects]

    def _optimizer(
        self, optimizers: Sequence[Optimizer], parameters: Sequence[Tensor]
    ) -> tuple[Optimizer, State]:
        stacked = stack_settings(optimizers, self.dtype, self.device)
        return stacked, stacked.init(parameters)

    def _add_backward_weights(self) -> None:
        backward = dict(layers_of(populate([backward_network(s) for s in self.subjects])))
        for name, layer in self.network.layers.items():
            layer.backward_weight = backward[name].weight.detach().to(self.device, self.dtype)

    def batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield batches: stimuli ``(batch, subject*channel, ...)``, and what they should evoke.

        The curriculum of each subject chooses the images, with random numbers of the subject or its
        pair.
        """
        images = self.subjects[0].task.train()
        chosen = [
            s.curriculum.batches(
                images,
                s.batch_size,
                s.steps,
                seeds.generator(s.seed, *s.stream(seeds.DATA_ORDER)),
            )
            for s in self.subjects
        ]
        augmentation = [
            seeds.generator(s.seed, *s.stream(seeds.AUGMENTATION)) for s in self.subjects
        ]
        for each in zip(*chosen, strict=True):
            batch = torch.from_numpy(np.stack(each, axis=1)).to(self.device)
            yield batch_of(self.images, batch, augmentation)

    def training_step(self, stimuli: Tensor, labels: Tensor, step: int) -> None:
        """Compute the updates of one batch, which ``step`` steps preceded, and apply them."""
        updates = self.compute_updates(stimuli, labels, step)
        noise, rates = self.update_noise, self._rate_factors(step)
        with torch.no_grad():
            # One number is cheaper to test at every step; it is finite only if all of them are.
            finite = math.isfinite(float(updates.losses.sum(dtype=torch.float64)))
            diverged = None if finite else ~torch.isfinite(updates.losses)
            if diverged is not None:
                # Before the update, which spreads infinite values to every layer.
                self._note_divergence(diverged, step)
            if updates.forward is not None:
                optimizer = with_scaled_rates(self.optimizer, rates)
                state = self.optimizer_state
                streams, parameters = noise.for_purpose("forward"), self.network.parameters
                apply_updates(optimizer, parameters, updates.forward, state, streams)
            if updates.backward is not None:
                optimizer = with_scaled_rates(self.feedback_optimizer, rates)
                state = self.feedback_optimizer_state
                streams, weights = noise.for_purpose("backward"), self.backward_weights
                apply_updates(optimizer, weights, updates.backward, state, streams)
            if diverged is not None:
                self._set_to_zero(diverged)
        self.loss += updates.losses
        self.loss_steps += 1

    def compute_updates(self, stimuli: Tensor, labels: Tensor, step: int) -> Updates:
        """Updates of one batch, in the precision of the subjects."""
        if self.subjects[0].precision == SINGLE:
            return self.rule.compute_updates(self.network, stimuli, labels, step)
        with mixed_precision(self.device):
            return self.rule.compute_updates(self.network, stimuli, labels, step)

    def _rate_factors(self, step: int) -> Tensor | None:
        """Factor of each subject's learning rate in a training step; None if no rate changes."""
        # Subjects of one cohort have one kind of schedule.
        if not self.follows_schedule or self.subjects[0].schedule.name == CONSTANT:
            return None
        factors = [s.schedule.factor(min(step / s.steps, 1.0)) for s in self.subjects]
        if all(factor == 1 for factor in factors):
            return None
        return torch.tensor(factors, dtype=self.dtype, device=self.device)

    def _note_divergence(self, diverged: Tensor, step: int) -> None:
        for place in torch.nonzero(diverged).flatten().tolist():
            if self.diverged_at[place] < 0:
                self.diverged_at[place] = step
                self.diverged_in[place] = self._diverged_layer(place)

    def _set_to_zero(self, diverged: Tensor) -> None:
        """Set all tensors of these subjects to zero, which keeps arithmetic fast and finite."""
        states = [*self.optimizer_state.values(), *self.feedback_optimizer_state.values()]
        for tensor in [
            *self.network.parameters,
            *self.backward_weights,
            *(tensor for state in states if isinstance(state, list) for tensor in state),
            *self.network.memory.values(),
            *self.population.buffers(),
        ]:
            if tensor.dim() and len(tensor) == len(self.subjects):
                tensor[diverged] = 0

    def _diverged_layer(self, place: int) -> str:
        layers = self.network.layers.items()
        largest = {name: float(layer.weight[place].abs().max()) for name, layer in layers}
        diverged = [name for name, weight in largest.items() if not np.isfinite(weight)]
        return diverged[0] if diverged else max(largest, key=lambda name: largest[name])

    def visit(self, index: int, step: int) -> Visit:
        """State and evaluation of every subject; resets the running loss."""
        self.check_state(step)
        loss, performance = self.evaluation.measure(self.network)
        mean = self.loss / self.loss_steps if self.loss_steps else self.loss * torch.nan
        # Updates are compared with the true gradient on the same batch for all subjects.
        batch = self.evaluation.batch(0, _GRADIENT_IMAGES, len(self.subjects))
        measured = {
            "train_loss": mean,
            "validation_loss": loss,
            PERFORMANCE: performance,
            **gradient_alignment(self.rule, self.network, *batch, self.recorded_layers),
        }
        evaluation = {name: values.cpu().numpy() for name, values in measured.items()}
        state = self.layout.flatten(self.population).cpu().numpy()
        for values in (state, *evaluation.values()):
            values[self.diverged_at >= 0] = np.nan
        self.loss.zero_()
        self.loss_steps = 0
        return Visit(index, step, state, evaluation)

    def check_state(self, step: int) -> None:
        """Note subjects whose last step made their state infinite although the loss was finite."""
        diverged = ~torch.isfinite(self.layout.flatten(self.population)).all(1)
        if bool(diverged.any()):
            with torch.no_grad():
                self._note_divergence(diverged, step)
                self._set_to_zero(diverged)

    def outcome(self) -> TrainingOutcome:
        """Divergence of each subject."""
        return TrainingOutcome(self.diverged_at, tuple(self.diverged_in))


def _pretrained(cohort: Cohort, dtype: torch.dtype, device: str) -> list[CohortTrainer]:
    """Trainers of a cohort's subjects at the end of their pretraining; empty if there is none."""
    learners = [each for each in (subject.pretrained for subject in cohort.subjects) if each]
    if not learners:
        return []
    alone = pretrained_alone(cohort.subjects[0])
    trainers = []
    for part in [[each] for each in learners] if alone else [learners]:
        trainer = CohortTrainer(Cohort(tuple(part)), dtype, device)
        steps = part[0].steps
        for step, batch in zip(range(steps), trainer.batches(), strict=False):
            if trainer.has_diverged:
                break
            trainer.training_step(*batch, step)
        trainer.check_state(steps)
        trainers.append(trainer)
    return trainers
