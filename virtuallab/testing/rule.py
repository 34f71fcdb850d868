"""Conformance check of plasticity rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NoReturn

import numpy as np
import torch

from virtuallab.errors import UserError
from virtuallab.registry import ARCHITECTURES, OPTIMIZERS, RULES, TASKS
from virtuallab.subject.architecture import Architecture
from virtuallab.subject.rule import Rule, Updates
from virtuallab.subject.subject import Cohort, Subject
from virtuallab.subject.training.trainer import CohortTrainer, train
from virtuallab.testing.plugin import plugin_instance, varied
from virtuallab.testing.rule_promises import check_promises

_SUBJECTS = 3
_BATCH = 8  # unlike the number of subjects, so that no axis can be confused with another
_STEPS = 6
_TOLERANCE = 1e-9
_WILD = 1e38  # a learning rate with which every subject diverges

_STATE = "Keep state between steps in network.memory, and draw noise from network alone."
_SETTINGS = (
    "In a cohort a real-numbered setting is a tensor with a number for each subject; multiply by "
    "it with layer.scale or network.scale."
)


def check_rule(
    rule: str | type[Rule] | Rule,
    architecture: Architecture | None = None,
    *,
    learning_rate: float = 1e-4,
) -> None:
    """Check that a rule trains each subject independently of the others, and keeps its promises.

    Steps have the shapes of the weights. Training repeats itself bit for bit, does not draw from
    torch's global random stream, and does not depend on the number of visits. A subject alone
    has the same weights as in a cohort (to 1e-9, in float64), also where subjects have different
    settings, and where another subject diverges. In a small multilayer perceptron, the angle
    between steps and gradient is in the promised bounds, and steps depend on other weights or on
    the labels only if the rule's needs say so.

    Parameters
    ----------
    rule : str, type or Rule
        A registered name, a class (both with default settings), or a rule with settings.
    architecture : Architecture, optional
        Networks to train. If not given, a small multilayer perceptron, and a small convolutional
        network unless the rule is for dense layers only. Promises are measured in the same
        perceptron in any case, and angles for default settings only.
    learning_rate : float
        Of gradient descent with momentum. Rules that follow noise magnify rounding if their steps
        are large.

    Raises
    ------
    AssertionError
        With what the rule breaks, in which network and by how much.
    """
    made: Rule = plugin_instance(rule, RULES, Rule)
    with torch.random.fork_rng(devices=[]):
        for network in _networks(made) if architecture is None else [architecture]:
            _RuleCheck(made, network, learning_rate).all()
        check_promises(made)


def _networks(rule: Rule) -> list[Architecture]:
    dense = ARCHITECTURES["mlp"](hidden=(12,))
    convolutional = ARCHITECTURES["knet4"](channels=(3, 4), normalisation="local_response")
    return [dense] if rule.dense_only else [dense, convolutional]


class _RuleCheck:
    """Checks of one rule in one network."""

    def __init__(self, rule: Rule, architecture: Architecture, learning_rate: float) -> None:
        self.rule, self.architecture = rule, architecture
        self.subjects = [
            Subject(
                architecture=architecture,
                task=TASKS["digits"](train_images=64, validation_images=20, probe_images=10),
                rule=rule,
                optimizer=OPTIMIZERS["sgd"](learning_rate=learning_rate * (1 + number)),
                label=rule.name,
                batch_size=_BATCH,
                steps=_STEPS,
                replicate=number,
                seed=1,
            )
            for number in range(_SUBJECTS)
        ]

    def all(self) -> None:
        """Run all checks, those with the most specific messages first."""
        self.shapes()
        before = torch.get_rng_state()
        together = _trained(self.subjects)
        if not torch.equal(torch.get_rng_state(), before):
            self.broken(
                "draws from torch's global random stream, so a subject depends on all other draws "
                "from it. Draw from network.noise_like or network.streams"
            )
        self.same(together, _trained(self.subjects), "does not repeat itself", _STATE)
        self.same(
            together[-1:],
            _trained(self.subjects, [_STEPS]),
            "learns differently if there is a visit on the way",
            _STATE,
        )
        self.alone(together)
        self.own_settings()
        self.neighbours()

    def shapes(self) -> None:
        """Check that each step has the shape of its weight."""
        trainer = CohortTrainer(Cohort(tuple(self.subjects)), torch.float64, "cpu")
        first = self.rule.first_forward_step
        try:
            updates = trainer.rule.compute_updates(trainer.network, *next(trainer.batches()), first)
        except UserError:  # its message is complete
            raise
        except Exception as error:
            self.broken(
                f"fails in a cohort of {_SUBJECTS} ({type(error).__name__}: {error}). {_SETTINGS}",
                error,
            )
        if not isinstance(updates, Updates):
            self.broken(f"returns a {type(updates).__name__} from compute_updates, not Updates")
        if updates.losses.shape != (_SUBJECTS,):
            self.broken(f"returns losses of shape {tuple(updates.losses.shape)}, not (subject,)")
        if updates.forward is None:
            self.broken(f"has no forward steps at step {first}, its first_forward_step")
        for kind, steps, changed in (
            ("forward", updates.forward, trainer.network.parameters),
            ("backward", updates.backward, trainer.backward_weights),
        ):
            if steps is None:
                continue
            if len(steps) != len(changed):
                self.broken(f"returns {len(steps)} {kind} steps for {len(changed)} {kind} weights")
            for place, (step, weight) in enumerate(zip(steps, changed, strict=True)):
                if step.shape != weight.shape:
                    self.broken(
                        f"returns {kind} step {place} of shape {tuple(step.shape)} for a weight of "
                        f"shape {tuple(weight.shape)}"
                    )

    def alone(self, together: np.ndarray) -> None:
        """Check that a subject alone is the same as in a cohort."""
        for place, subject in enumerate(self.subjects):
            self.same(
                together[:, [place]],
                _trained([subject]),
                "trains a subject alone to other weights than in a cohort",
                "The first axis, or a share of the channels, is that of subjects: do not sum or "
                "average across it.",
                _TOLERANCE,
            )

    def own_settings(self) -> None:
        """Check that each subject has its own real-numbered settings."""
        mixed = [
            replace(subject, rule=varied(self.rule, number))
            for number, subject in enumerate(self.subjects)
        ]
        together = _trained(mixed)
        for place, subject in enumerate(mixed):
            self.same(
                together[:, [place]],
                _trained([subject]),
                "uses the settings of one subject for another",
                _SETTINGS,
                _TOLERANCE,
            )

    def neighbours(self) -> None:
        """Check that a subject that diverges does not change the others."""
        calm, wild = list(self.subjects), list(self.subjects)
        wild[1] = replace(wild[1], optimizer=OPTIMIZERS["sgd"](learning_rate=_WILD))
        kept = np.delete(np.arange(_SUBJECTS), 1)
        self.same(
            _trained(calm, dtype=torch.float32)[:, kept],
            _trained(wild, dtype=torch.float32)[:, kept],
            "lets a subject that diverges change its neighbours",
            "A sum over subjects spreads what is not finite, even times zero.",
        )

    def same(
        self,
        expected: np.ndarray,
        found: np.ndarray,
        what: str,
        advice: str,
        tolerance: float = 0.0,
    ) -> None:
        """Compare states, ``(visit, subject, parameter)``."""
        if np.allclose(found, expected, rtol=0, atol=tolerance, equal_nan=True):
            return
        both = np.isfinite(found) & np.isfinite(expected)
        apart = float(np.abs(found[both] - expected[both]).max(initial=0.0))
        spread = "" if both.all() else ", and not all are finite"
        self.broken(f"{what} (states differ by up to {apart:.1e}{spread}). {advice}")

    def broken(self, what: str, cause: Exception | None = None) -> NoReturn:
        """Raise AssertionError with what the rule breaks, and in which network."""
        raise AssertionError(f"rule {self.rule.name!r} in {self.architecture.name}: {what}") from (
            cause
        )


def _trained(
    subjects: Sequence[Subject],
    visits: Sequence[int] = (0, _STEPS // 2, _STEPS),
    dtype: torch.dtype = torch.float64,
) -> np.ndarray:
    """States of the subjects at the visits, ``(visit, subject, parameter)``."""
    states: list[np.ndarray] = []
    train(Cohort(tuple(subjects)), visits, lambda visit: states.append(visit.state), dtype=dtype)
    return np.stack(states)
