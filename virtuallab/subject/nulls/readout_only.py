"""A network of which only the read-out learns."""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from torch import nn

from virtuallab.registry import NULL_MODELS
from virtuallab.subject.null import NullModel, Trajectory, log_uniform
from virtuallab.subject.preparation import PreparedSubject

_LEARNING_RATE: Final = (0.003, 0.1)
_MOMENTUM: Final = 0.9
_BATCH_SIZE: Final = 32


@NULL_MODELS.register("readout_only")
class ReadoutOnly(NullModel):
    """A network of which the last layer alone learns, by gradient descent with momentum 0.9.

    The layers before keep the untrained state or, in a quarter of the subjects, the trained one. In
    half of the untrained ones the running averages of batch normalisation follow the images. The
    last layer starts untrained. Its learning rate is log-uniform from 0.003 to 0.1, a batch has 32
    images, and there are as many steps between visits as in the subject. The layers before show no
    learning, whatever the behaviour does.
    """

    trains_read_out = True

    def is_possible(self, trajectory: Trajectory) -> bool:
        """True if the last layer, of several, is dense; parameters as in the base class."""
        return trajectory.has_linear_end and len(trajectory.layout.layers) > 1

    def prepare(self, trajectory: Trajectory, generator: np.random.Generator) -> PreparedSubject:
        """A subject whose read-out learns; parameters as in the base class."""
        first, visits = trajectory.states[:1], len(trajectory.states)
        if generator.integers(4) == 0:
            states = np.repeat(trajectory.states[-1:], visits, axis=0)
        else:
            states = np.repeat(first, visits, axis=0)
            if generator.integers(2):
                states[1:] = trajectory.normalised(first)
        last = trajectory.last_layer(first)
        inputs, labels = trajectory.last_inputs(states[-1:]), trajectory.task.train().labels
        optimizer = torch.optim.SGD(
            last.parameters(), lr=log_uniform(generator, *_LEARNING_RATE), momentum=_MOMENTUM
        )
        done = 0
        for visit, step in enumerate(trajectory.steps):
            batches = generator.integers(len(inputs), size=(step - done, _BATCH_SIZE))
            for batch in torch.from_numpy(batches):
                optimizer.zero_grad()
                loss = nn.functional.cross_entropy(last(inputs[batch]), labels[batch])
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
            done = step
            trajectory.put_last_layer(states[visit], last)
        return trajectory.prepared(states)
