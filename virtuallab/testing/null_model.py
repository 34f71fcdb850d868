"""Conformance check of null models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any, NoReturn

import jaxtyping as jt
import numpy as np
import torch

from virtuallab.registry import ARCHITECTURES, NULL_MODELS, OPTIMIZERS, RULES, TASKS
from virtuallab.subject.architecture import Architecture
from virtuallab.subject.null import NullModel, Trajectory
from virtuallab.subject.preparation import PreparedSubject
from virtuallab.subject.subject import Cohort, Subject
from virtuallab.subject.training.trainer import train
from virtuallab.testing.plugin import broken, global_state, plugin_instance

_DRAWS = 8
_VISITS = (0, 20, 40, 60)
_MOST = 0.5  # of the learner's rise; the null models of this package reach 0.2 in 150 draws
_TOLERANCE = 1e-5  # of single precision


def check_null_model(null: str | type[NullModel] | NullModel) -> None:
    """Check that a null model gives recordable subjects in which nothing was learned.

    It is made of the states of a small multilayer perceptron, and of a small convolutional network
    with batch normalisation, that learned digits by backpropagation. Its subjects have the visits,
    layers, stimuli, units and precision of the learner, are finite, and are not negative in layers
    that are rectified. They depend on the generator alone, and differ between generators. The
    states are not changed. At the first visit, the weights of hidden layers, and their responses
    unless ``starts_at_state`` is false, are those of a visit of the learner. Later visits differ in
    some draw, except in the null model ``frozen``. In none of 8 draws does the class separation of
    hidden layers rise by half as much as in the learner: the share of a unit's variance over
    stimuli that lies between classes, averaged over units and layers.

    Parameters
    ----------
    null : str, type or NullModel
        A registered name, a class, or an instance.

    Raises
    ------
    AssertionError
        With what the null model breaks.
    """
    found: NullModel = plugin_instance(null, NULL_MODELS, NullModel)
    learners = [
        _learner(ARCHITECTURES["mlp"](hidden=(40, 30))),
        _learner(ARCHITECTURES["knet4"](channels=(4, 6, 6))),
    ]
    possible = [each for each in learners if found.is_possible(each)]
    if not possible:
        broken("null model", found, "is possible neither in a perceptron nor in a small KNet")
    for learner in possible:
        _NullModelCheck(found, learner).all()


@cache
def _learner(architecture: Architecture) -> Trajectory:
    """States of a network that learns digits by backpropagation."""
    subject = Subject(
        architecture=architecture,
        task=TASKS["digits"](train_images=600, validation_images=20, probe_images=200),
        rule=RULES["backprop"](),
        optimizer=OPTIMIZERS["sgd"](learning_rate=0.05),
        label="learner",
        batch_size=20,
        steps=max(_VISITS),
        replicate=0,
        seed=1,
    )
    states: list[np.ndarray] = []
    train(Cohort((subject,)), _VISITS, lambda visit: states.append(visit.state[0].copy()))
    return Trajectory(architecture, subject.task, np.stack(states), _VISITS)


class _NullModelCheck:
    """Checks of one null model of one learner."""

    def __init__(self, null: NullModel, learner: Trajectory) -> None:
        self.null, self.learner = null, learner
        self.own = learner.prepared(learner.states)

    def all(self) -> None:
        """Run all checks, those with the most specific messages first."""
        first = self.repeated()
        draws = [first, *(self.prepared(seed) for seed in range(1, _DRAWS))]
        for draw in draws:
            self.form(draw)
            self.values(draw)
            self.start(draw)
        self.no_learning(draws)
        if len(set(map(_bytes, draws))) == 1:
            self.broken(f"gives the same subject for {_DRAWS} generators; draw its strength")
        if not any(map(_changes, draws)) and self.null.name != "frozen":
            self.broken(
                f"does not change in {_DRAWS} draws; the null model 'frozen' is that already"
            )

    def prepared(self, seed: int) -> PreparedSubject:
        """A subject of the null model, from states that it must not change."""
        given = replace(self.learner, states=self.learner.states.copy())
        found = self.null.prepare(given, np.random.default_rng(seed))
        if not np.array_equal(given.states, self.learner.states):
            self.broken("changes the states of the trajectory; work on a copy")
        if not isinstance(found, PreparedSubject):
            self.broken(f"returns a {type(found).__name__} in place of a PreparedSubject")
        return found

    def repeated(self) -> PreparedSubject:
        """The first draw, after a check that it depends on the generator alone."""
        before = global_state(), torch.get_rng_state().numpy().tobytes()
        first = self.prepared(0)
        if (global_state(), torch.get_rng_state().numpy().tobytes()) != before:
            self.broken(
                "changes the global random state of numpy or torch; draw from the generator alone"
            )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(1)
            again = self.prepared(0)
        if _bytes(first) != _bytes(again):
            self.broken("gives another subject for a generator with the same seed")
        return first

    def form(self, draw: PreparedSubject) -> None:
        """Check visits, layers, stimuli, units and precision."""
        own = _form(self.own)
        for what, has in _form(draw).items():
            if has != own[what]:
                self.broken(f"has the {what} {has}, the learner {own[what]}")
        if not np.array_equal(draw.labels, self.own.labels):
            self.broken("has other stimuli than the learner, or their labels in another order")

    def values(self, draw: PreparedSubject) -> None:
        """Check that values are finite, and not negative in layers that are rectified."""
        for layer in self.own.layers:
            for kind, found in (("responses", draw.responses), ("weights", draw.weights)):
                if not np.isfinite(found[layer]).all():
                    self.broken(f"has {kind} that are not finite, in {layer}")
            if self.own.responses[layer].min() >= 0 > draw.responses[layer].min():
                self.broken(f"has responses below zero in {layer}, which is rectified")

    def start(self, draw: PreparedSubject) -> None:
        """Check that the hidden layers of the first visit show a state of the learner."""
        pairs = [("weights", draw.weights, self.own.weights)]
        if self.null.starts_at_state:
            pairs.append(("responses", draw.responses, self.own.responses))
        for kind, found, own in pairs:
            if not any(
                all(
                    np.allclose(
                        found[layer][0], own[layer][visit], rtol=_TOLERANCE, atol=_TOLERANCE
                    )
                    for layer in self.own.layers[:-1]
                )
                for visit in range(len(_VISITS))
            ):
                self.broken(
                    f"has {kind} of hidden layers at the first visit that the learner has at none; "
                    "change later visits alone, or set starts_at_state = False if responses are "
                    "changed anew at each visit"
                )

    def no_learning(self, draws: Sequence[PreparedSubject]) -> None:
        """Check that hidden layers do not gain information on the classes."""
        learned = _largest_rise(self.own)
        for number, draw in enumerate(draws):
            rise = _largest_rise(draw)
            if rise >= _MOST * learned:
                self.broken(
                    f"learns: the class separation of its hidden layers rises by {rise:.2f} with "
                    f"seed {number}, that of the learner by {learned:.2f}"
                )

    def broken(self, what: str) -> NoReturn:
        """Raise an AssertionError that names the null model, its fault and the network."""
        broken("null model", self.null, f"{what} (network: {self.learner.architecture.name})")


def _form(subject: PreparedSubject) -> dict[str, Any]:
    arrays = {"responses": subject.responses, "weights": subject.weights}
    return {
        "layers": subject.layers,
        "maps": subject.maps,
        "inputs": subject.inputs,
        **{f"shapes of {k}": {n: v.shape for n, v in each.items()} for k, each in arrays.items()},
        **{
            f"types of {k}": {n: str(v.dtype) for n, v in each.items()}
            for k, each in arrays.items()
        },
    }


def _bytes(subject: PreparedSubject) -> bytes:
    found = [*subject.responses.values(), *subject.weights.values()]
    return b"".join(values.tobytes() for values in found)


def _changes(subject: PreparedSubject) -> bool:
    # Responses of equal networks can differ by rounding, on some processors.
    found = [*subject.responses.values(), *subject.weights.values()]
    return not all(
        np.allclose(values, values[:1], rtol=_TOLERANCE, atol=_TOLERANCE) for values in found
    )


def _largest_rise(subject: PreparedSubject) -> float:
    """Largest rise of the class separation since the first visit, averaged over hidden layers."""
    curves = [
        [_class_separation(responses, subject.labels) for responses in subject.responses[layer]]
        for layer in subject.layers[:-1]
    ]
    mean = np.mean(curves, axis=0)
    return float((mean - mean[0]).max())


def _class_separation(
    responses: jt.Float[np.ndarray, "stimulus unit"], labels: jt.Int[np.ndarray, " stimulus"]
) -> float:
    """Share of a unit's variance that lies between classes, averaged over units that respond."""
    values = responses[:, responses.max(0) > responses.min(0)].astype(np.float64)
    if not values.size:
        return 0.0
    _, class_of, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    means = np.stack([values[class_of == number].mean(0) for number in range(len(sizes))])
    between = np.average((means - values.mean(0)) ** 2, axis=0, weights=sizes)
    return float((between / values.var(0)).mean())
