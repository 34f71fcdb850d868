"""Every null model passes its check, and the check names what a broken one breaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
import torch

from tests.testing.registered import register
from virtuallab.registry import NULL_MODELS
from virtuallab.subject.null import NullModel, Responses, Trajectory, with_responses
from virtuallab.subject.preparation import PreparedSubject
from virtuallab.testing import check_null_model

pytestmark = pytest.mark.usefixtures("own_random_streams")


@pytest.mark.parametrize("name", list(NULL_MODELS))
def test_a_null_model_of_this_package_passes(name: str) -> None:
    check_null_model(name)


class Fading(NullModel):
    """Responses that become weaker at each visit, by a share that differs between subjects."""

    name: ClassVar[str] = "fading"

    def prepare(self, trajectory: Trajectory, generator: np.random.Generator) -> PreparedSubject:
        still = trajectory.still(trajectory.draw_visit(generator))
        gains = (1 - generator.uniform(0.1, 0.5)) ** np.arange(len(trajectory.states))
        return with_responses(still, lambda first: [gain * first for gain in gains])


def changed(found: PreparedSubject, change: Callable[[Responses], Responses]) -> PreparedSubject:
    """A subject whose responses are those of another one, changed by a function."""
    return replace(found, responses={k: change(v) for k, v in found.responses.items()})


class Learner(Fading):
    """The learner itself."""

    def prepare(self, trajectory: Trajectory, generator: np.random.Generator) -> PreparedSubject:
        return trajectory.prepared(trajectory.states)


class SometimesLearner(Fading):
    """The learner, in half of the subjects."""

    def prepare(self, trajectory: Trajectory, generator: np.random.Generator) -> PreparedSubject:
        if generator.integers(2) == 0:
            return trajectory.prepared(trajectory.states)
        return super().prepare(trajectory, generator)


class GlobalNumpy(Fading):
    """Draws from numpy's global random state."""

    def prepare(self, trajectory: Trajectory, generator: np.random.Generator) -> PreparedSubject:
        np.random.random()  # noqa: NPY002
        return super().prepare(trajectory, generator)


class GlobalTorch(Fading):
    """Draws from torch's global random state."""

    def prepare(self, trajectory: Trajectory, generator: np.random.Generator) -> PreparedSubject:
        torch.rand(1)
        return super().prepare(trajectory, generator)


class OwnStream(Fading):
    """Draws from a stream of its own."""

    def prepare(self, trajectory: Trajectory, generator: np.random.Generator) -> PreparedSubject:
        return super().prepare(trajectory, np.random.default_rng())


class BorrowedState(Fading):
    """Draws from torch's global random state, and puts it back."""

    def prepare(self, trajectory: Trajectory, generator: np.random.Generator) -> PreparedSubject:
        with torch.random.fork_rng(devices=[]):
            seed = int(torch.randint(1000, (1,)))
        return super().prepare(trajectory, np.random.default_rng(seed))


class InPlace(Fading):
    """Changes the states of the trajectory."""

    def prepare(self, trajectory: Trajectory, generator: np.random.Generator) -> PreparedSubject:
        trajectory.states[1:] = trajectory.states[0]
        return super().prepare(trajectory, generator)


class Short(Fading):
    """Leaves out the last visit."""

    def prepare(self, trajectory: Trajectory, generator: np.random.Generator) -> PreparedSubject:
        kept = replace(trajectory, states=trajectory.states[:-1], steps=trajectory.steps[:-1])
        return super().prepare(kept, generator)


class Double(Fading):
    """Responds in double precision."""

    def prepare(self, trajectory: Trajectory, generator: np.random.Generator) -> PreparedSubject:
        found = super().prepare(trajectory, generator)
        return changed(found, lambda values: values.astype(np.float64))


class Relabelled(Fading):
    """Shows the stimuli in another order."""

    def prepare(self, trajectory: Trajectory, generator: np.random.Generator) -> PreparedSubject:
        found = super().prepare(trajectory, generator)
        return replace(found, labels=found.labels[::-1])


class Shallow(Fading):
    """Has no last layer."""

    def prepare(self, trajectory: Trajectory, generator: np.random.Generator) -> PreparedSubject:
        found = super().prepare(trajectory, generator)
        return replace(found, layers=found.layers[:-1])


class Undefined(Fading):
    """Loses a unit."""

    def prepare(self, trajectory: Trajectory, generator: np.random.Generator) -> PreparedSubject:
        found = super().prepare(trajectory, generator)
        return changed(found, lambda values: np.where(np.arange(values.shape[2]), values, np.nan))


class Shifted(Fading):
    """Lowers the later visits of a layer that is rectified."""

    def prepare(self, trajectory: Trajectory, generator: np.random.Generator) -> PreparedSubject:
        found = super().prepare(trajectory, generator)
        later = (np.arange(len(trajectory.states)) > 0).astype(np.float32)
        return changed(found, lambda values: values - later[:, None, None])


class Elsewhere(Fading):
    """Has other responses than the learner at the first visit."""

    def prepare(self, trajectory: Trajectory, generator: np.random.Generator) -> PreparedSubject:
        return changed(super().prepare(trajectory, generator), lambda values: values * 2)


class OtherWeights(Elsewhere):
    """Has other weights than the learner at the first visit, and other responses."""

    starts_at_state = False

    def prepare(self, trajectory: Trajectory, generator: np.random.Generator) -> PreparedSubject:
        return super().prepare(replace(trajectory, states=trajectory.states * 2), generator)


class Certain(Fading):
    """Fades by the same share in all subjects."""

    def prepare(self, trajectory: Trajectory, generator: np.random.Generator) -> PreparedSubject:
        return super().prepare(trajectory, np.random.default_rng(1))


class Still(Fading):
    """Does not change."""

    def prepare(self, trajectory: Trajectory, generator: np.random.Generator) -> PreparedSubject:
        return trajectory.still(trajectory.draw_visit(generator))


class States(Fading):
    """Returns states."""

    def prepare(self, trajectory: Trajectory, generator: np.random.Generator):  # type: ignore
        return trajectory.states


class Nowhere(Fading):
    """Is possible in no network."""

    def is_possible(self, trajectory: Trajectory) -> bool:
        return False


def test_one_from_outside_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, NULL_MODELS, Fading)
    check_null_model("fading")
    check_null_model(Fading)
    check_null_model(Fading())


def test_one_that_changes_every_visit_anew_passes_if_it_says_so() -> None:
    class Anew(Elsewhere):
        starts_at_state = False

    check_null_model(Anew)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (
            Learner,
            r"learns: the class separation of its hidden layers rises by 0\.\d\d with seed 0",
        ),
        (SometimesLearner, "learns: the class separation"),
        (GlobalNumpy, "changes the global random state of numpy or torch"),
        (GlobalTorch, "changes the global random state of numpy or torch"),
        (OwnStream, "gives another subject for a generator with the same seed"),
        (BorrowedState, "gives another subject for a generator with the same seed"),
        (InPlace, "changes the states of the trajectory"),
        (Short, r"has the shapes of responses {'fc1': \(3, 200, 40\)"),
        (Double, "has the types of responses {'fc1': 'float64'"),
        (Relabelled, "has other stimuli than the learner"),
        (Shallow, r"has the layers \('fc1', 'fc2'\), the learner \('fc1', 'fc2', 'fc3'\)"),
        (Undefined, "has responses that are not finite, in fc1"),
        (Shifted, "has responses below zero in fc1, which is rectified"),
        (Elsewhere, "has responses of hidden layers at the first visit that the learner has at no"),
        (OtherWeights, "has weights of hidden layers at the first visit that the learner has at n"),
        (Certain, "gives the same subject for 8 generators"),
        (Still, "does not change in 8 draws"),
        (States, "returns a ndarray in place of a PreparedSubject"),
        (Nowhere, "is possible neither in a perceptron nor"),
    ],
)
def test_what_a_null_model_breaks_is_named(broken: type[NullModel], message: str) -> None:
    with pytest.raises(AssertionError, match=f"null model 'fading' {message}"):
        check_null_model(broken)


def test_a_null_model_without_a_name_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(Fading, "name")
    with pytest.raises(AssertionError, match=r"Fading has no name; put @NULL_MODELS\.register"):
        check_null_model(Fading)
