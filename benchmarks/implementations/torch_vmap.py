"""All networks as one: ``torch.func.vmap`` over stacked parameters."""

from __future__ import annotations

import torch
from torch import Tensor, nn, optim
from torch.func import functional_call, grad_and_value, stack_module_state, vmap

from benchmarks.measuring.nets import BATCH, LEARNING_RATE, MOMENTUM, subjects
from virtuallab.subject.network.initialization import forward_network


class TorchVmap:
    """Networks whose parameters are stacked.

    Parameters
    ----------
    net, rule : str
    size : int
        Number of networks.
    """

    def __init__(self, net: str, rule: str, size: int) -> None:
        self._size = size
        everyone = subjects(net, "backprop", size)
        modules = [forward_network(each) for each in everyone]
        parameters, self._buffers = stack_module_state(modules)
        self._parameters = {name: each.detach() for name, each in parameters.items()}
        self._optimizer = optim.SGD(self._parameters.values(), LEARNING_RATE, momentum=MOMENTUM)
        self._images = everyone[0].task.train()
        self._orders, self._place = torch.empty(size, 0, dtype=torch.long), 0
        module = modules[0]

        def loss(
            parameters: dict[str, Tensor], buffers: dict[str, Tensor], x: Tensor, y: Tensor
        ) -> Tensor:
            output = functional_call(module, (parameters, buffers), (x,))
            return nn.functional.cross_entropy(output, y)

        # Batch normalisation updates the stacked buffers in place.
        self._gradients = vmap(grad_and_value(loss))

    def _step(self, chosen: Tensor) -> Tensor:
        images, labels = self._images.stimuli[chosen], self._images.labels[chosen]
        gradients, losses = self._gradients(self._parameters, self._buffers, images, labels)
        for name, each in self._parameters.items():
            each.grad = gradients[name]
        self._optimizer.step()
        found: Tensor = losses
        return found

    def first_losses(self, steps: int) -> list[float]:
        """Losses of the first network on the first images."""
        chosen = torch.arange(BATCH).expand(self._size, BATCH)
        return [float(self._step(chosen)[0]) for _ in range(steps)]

    def prepare(self, steps: int) -> None:
        """Do nothing."""

    def train(self, steps: int) -> None:
        """Train all networks."""
        for _ in range(steps):
            if self._place + BATCH > self._orders.shape[1]:
                count = len(self._images.labels)
                self._orders, self._place = torch.rand(self._size, count).argsort(1), 0
            self._step(self._orders[:, self._place : self._place + BATCH])
            self._place += BATCH
