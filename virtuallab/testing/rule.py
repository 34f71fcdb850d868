"""What every plasticity rule has to obey, as a check for the tests of whoever writes one.

>>> from virtuallab.testing import check_rule
>>> check_rule("feedback_alignment")
"""

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
_BATCH = 8  # unlike the number of subjects, so that no axis can be taken for another
_STEPS = 6
_TOLERANCE = 1e-9
_WILD = 1e38  # a learning rate that nobody survives

_STATE = "What it keeps between steps belongs into network.memory; its noise comes from network."
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
    """Train a few subjects under a rule and see whether it keeps to what a rule must.

    Its steps have the shapes of what they change. It repeats itself bit for bit, and leaves torch's
    global random stream alone. Being looked at changes nothing. A subject alone is the same as in a
    cohort (to 1e-9, in float64), also where each subject has settings of its own. A neighbour that
    diverges changes nothing.

    Parameters
    ----------
    rule : str, type or Rule
        A registered name, a class (both with default settings), or a rule with settings.
    architecture : Architecture, optional
        What to train. If not given, a small multilayer perceptron, and a small convolutional
        network unless the rule is for dense layers only.
    learning_rate : float
        Of plain gradient descent with momentum. Rules that follow noise magnify rounding if their
        steps are large.

    Raises
    ------
    AssertionError
        Naming what the rule breaks, in which network and by how much.
    """
    made: Rule = plugin_instance(rule, RULES, Rule)  # type: ignore[type-abstract]
    with torch.random.fork_rng(devices=[]):
        for network in _networks(made) if architecture is None else [architecture]:
            _Check(made, network, learning_rate).all()
        check_promises(made)


def _networks(rule: Rule) -> list[Architecture]:
    dense = ARCHITECTURES["mlp"](hidden=(12,))
    convolutional = ARCHITECTURES["knet4"](channels=(3, 4), normalisation="local_response")
    return [dense] if rule.dense_only else [dense, convolutional]


class _Check:
    """One rule in one network."""

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
        """Everything, what explains most first."""
        self.shapes()
        before = torch.get_rng_state()
        together = _trained(self.subjects)
        if not torch.equal(torch.get_rng_state(), before):
            self.broken(
                "draws from torch's global random stream, so a subject depends on whatever else "
                "drew from it. Draw from network.noise_like or network.streams"
            )
        self.same(together, _trained(self.subjects), "does not repeat itself", _STATE)
        self.same(
            together[-1:],
            _trained(self.subjects, [_STEPS]),
            "learns otherwise when it is looked at on the way",
            _STATE,
        )
        self.alone(together)
        self.own_settings()
        self.neighbours()

    def shapes(self) -> None:
        """Each step is a step of something."""
        trainer = CohortTrainer(Cohort(tuple(self.subjects)), torch.float64, "cpu")
        first = self.rule.first_forward_step
        try:
            updates = trainer.rule.compute_updates(trainer.network, *next(trainer.batches()), first)
        except UserError:  # says itself what is wrong
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
        """Nobody depends on who is beside them."""
        for place, subject in enumerate(self.subjects):
            self.same(
                together[:, [place]],
                _trained([subject]),
                "gives a subject another course alone than in a cohort",
                "Its first axis, or a share of the channels, belongs to each subject: do not sum "
                "or average across it.",
                _TOLERANCE,
            )

    def own_settings(self) -> None:
        """Each real number of the rule may be another in each subject."""
        mixed = [
            replace(subject, rule=varied(self.rule, number))
            for number, subject in enumerate(self.subjects)
        ]
        together = _trained(mixed)
        for place, subject in enumerate(mixed):
            self.same(
                together[:, [place]],
                _trained([subject]),
                "takes one subject's settings for another's",
                _SETTINGS,
                _TOLERANCE,
            )

    def neighbours(self) -> None:
        """One that leaves all bounds takes nobody along."""
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
        """Say what the rule breaks, and where."""
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
