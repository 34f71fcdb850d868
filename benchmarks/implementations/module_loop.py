"""A loop over ordinary torch modules, with ``torch.optim.SGD``.

The loop trains one network to its end before the next one, so that the time of a step does not
depend on the number of networks: one network is trained here, whatever the number.
"""

from __future__ import annotations

from torch import nn, optim

from benchmarks.measuring.nets import BATCH, LEARNING_RATE, MOMENTUM, subjects
from virtuallab import seeds
from virtuallab.subject.network.initialization import forward_network


class ModuleLoop:
    """One module of the loop.

    Parameters
    ----------
    net, rule : str
    size : int
        Is not used.
    """

    def __init__(self, net: str, rule: str, size: int) -> None:
        [subject] = subjects(net, "backprop", 1)
        self._module = self.converted(forward_network(subject))
        self._optimizer = optim.SGD(self._module.parameters(), LEARNING_RATE, momentum=MOMENTUM)
        self._images = subject.task.train()
        stream = seeds.generator(0, "benchmark")
        self._batches = subject.curriculum.batches(self._images, BATCH, subject.steps, stream)

    def converted(self, module: nn.Module) -> nn.Module:
        """Module that is trained in place of an ordinary one."""
        return module

    def _step(self, chosen: object) -> float:
        images, labels = self._images.stimuli[chosen], self._images.labels[chosen]  # type: ignore[index]
        loss = nn.functional.cross_entropy(self._module(images), labels)
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch has no types for it
        self._optimizer.step()
        return float(loss.detach())

    def first_losses(self, steps: int) -> list[float]:
        """Losses on the first images."""
        return [self._step(slice(BATCH)) for _ in range(steps)]

    def prepare(self, steps: int) -> None:
        """Do nothing."""

    def train(self, steps: int) -> None:
        """Train the network."""
        for _ in range(steps):
            self._step(next(self._batches))
