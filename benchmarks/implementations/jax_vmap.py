"""All networks as one in JAX: ``vmap`` over stacked parameters, ``jit``, ``scan`` over steps.

The layers of the torch module are written in JAX, with images as (height, width, channel), which
XLA prefers on a CPU.
"""

from __future__ import annotations

import os

# Read as XLA starts: one thread for its operations, and for each operation.
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
os.environ["NPROC"] = "1"

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import numpy as np
from jax import lax
from jax import numpy as jnp
from torch import nn

from benchmarks.implementations.implementation import NotPossible
from benchmarks.measuring.nets import BATCH, LEARNING_RATE, MOMENTUM, subjects
from virtuallab.subject.architectures._residual_blocks import ResidualBlock
from virtuallab.subject.network.initialization import forward_network

Array = Any  # of JAX, which the types of this project do not know
Forward = Callable[[Any, Array], tuple[Array, Any]]


class JaxVmap:
    """Networks whose parameters are stacked.

    Parameters
    ----------
    net, rule : str
    size : int
        Number of networks.

    Raises
    ------
    NotPossible
        If the network has a layer that is not written here.
    """

    def __init__(self, net: str, rule: str, size: int) -> None:
        self._size = size
        everyone = subjects(net, "backprop", size)
        forward, _ = layer(forward_network(everyone[0]))
        states = [layer(forward_network(each))[1] for each in everyone]
        state = jax.tree.map(lambda *leaves: jnp.stack(leaves), *states)
        images = everyone[0].task.train()
        self._count = len(images.labels)
        stimuli = jnp.asarray(images.stimuli.movedim(1, -1).contiguous().numpy())
        labels = jnp.asarray(images.labels.numpy())
        self._orders, self._place = np.empty((size, 0), np.int32), 0
        self._stream = np.random.default_rng(0)

        def loss(state: Any, x: Array, y: Array) -> tuple[Array, Any]:
            output, averages = forward(state, x)
            chosen = jnp.take_along_axis(jax.nn.log_softmax(output), y[:, None], axis=1)
            return -chosen.mean(), averages

        def step(carried: Any, chosen: Array) -> tuple[Any, Array]:
            state, velocity = carried
            (value, averages), gradient = jax.value_and_grad(loss, has_aux=True)(
                state, stimuli[chosen], labels[chosen]
            )
            velocity = jax.tree.map(lambda v, g: MOMENTUM * v + g, velocity, gradient)
            state = jax.tree.map(lambda p, v: p - LEARNING_RATE * v, state, velocity)
            return (with_averages(state, averages), velocity), value

        def steps(carried: Any, chosen: Array) -> tuple[Any, Array]:
            """Train by several steps, (step, network, image)."""
            found: tuple[Any, Array] = lax.scan(jax.vmap(step), carried, chosen)
            return found

        self._steps = jax.jit(steps, donate_argnums=0)
        self._carried = (state, jax.tree.map(jnp.zeros_like, state))

    def _train(self, chosen: np.ndarray) -> Array:
        self._carried, losses = self._steps(self._carried, chosen)
        return jax.block_until_ready(losses)

    def first_losses(self, steps: int) -> list[float]:
        """Losses of the first network on the first images."""
        chosen = np.broadcast_to(np.arange(BATCH, dtype=np.int32), (steps, self._size, BATCH))
        return [float(each) for each in self._train(chosen)[:, 0]]

    def prepare(self, steps: int) -> None:
        """Compile a scan over so many steps."""
        self.train(steps)

    def train(self, steps: int) -> None:
        """Train all networks."""
        chosen = np.stack([self._next_batches() for _ in range(steps)])
        self._train(chosen)

    def _next_batches(self) -> np.ndarray:
        if self._place + BATCH > self._orders.shape[1]:
            draws = self._stream.random((self._size, self._count), dtype=np.float32)
            self._orders, self._place = np.argsort(draws, axis=1).astype(np.int32), 0
        self._place += BATCH
        return self._orders[:, self._place - BATCH : self._place]


def layer(module: nn.Module) -> tuple[Forward, dict[str, Any]]:
    """Layer in JAX, and its parameters and running averages.

    A layer maps its state and ``(image, height, width, channel)`` to an output and new running
    averages, which are None or lie where the state has them.
    """
    if isinstance(module, ResidualBlock | nn.Sequential):
        made = {name: layer(each) for name, each in module.named_children()}
        layers = {name: function for name, (function, _) in made.items()}
        chain = _residual if isinstance(module, ResidualBlock) else _sequence
        return partial(chain, layers), {name: state for name, (_, state) in made.items()}
    values = {k: v.detach().numpy() for k, v in module.state_dict().items() if v.dim()}
    match module:
        case nn.ReLU():
            return lambda state, x: (jax.nn.relu(x), None), {}
        case nn.Identity():
            return lambda state, x: (x, None), {}
        case nn.Flatten():  # in torch's order
            return lambda state, x: (jnp.moveaxis(x, -1, 1).reshape(len(x), -1), None), {}
        case nn.AdaptiveAvgPool2d():
            return lambda state, x: (x.mean((1, 2), keepdims=True), None), {}
        case nn.Linear():
            return _dense, values
        case nn.BatchNorm2d():
            rate = float(module.momentum or 0)
            return partial(_batch_norm, module.eps, rate), values
        case nn.Conv2d():
            values["weight"] = values["weight"].transpose(2, 3, 1, 0)
            pads = [(size // 2, size // 2) for size in module.kernel_size]
            return partial(_convolution, module.stride, pads), values
        case nn.MaxPool2d():
            return partial(_pool, lax.max, -jnp.inf), {}
        case nn.AvgPool2d():
            return _mean_pool, {}
    raise NotPossible(f"{type(module).__name__} is not written in JAX here")


def with_averages(state: Any, averages: Any) -> Any:
    """State whose running averages are replaced."""
    if averages is None:
        return state
    return {
        key: with_averages(value, averages.get(key)) if isinstance(value, dict)
        else averages.get(key, value)
        for key, value in state.items()
    }  # fmt: skip


def _sequence(layers: dict[str, Forward], state: Any, x: Array) -> tuple[Array, Any]:
    averages = {}
    for name, function in layers.items():
        x, averages[name] = function(state[name], x)
    return x, averages


def _residual(layers: dict[str, Forward], state: Any, x: Array) -> tuple[Array, Any]:
    def part(*names: str) -> tuple[Array, Any]:
        return _sequence({name: layers[name] for name in names}, state, x)

    shortcut, first = part("conv0", "norm0")
    changed, second = part("conv1", "norm1", "relu", "conv2", "norm2")
    return jax.nn.relu(changed + shortcut), first | second


def _dense(state: Any, x: Array) -> tuple[Array, None]:
    return x @ state["weight"].T + state["bias"], None


def _convolution(
    stride: tuple[int, ...], pads: list[tuple[int, int]], state: Any, x: Array
) -> tuple[Array, None]:
    layout = ("NHWC", "HWIO", "NHWC")
    y = lax.conv_general_dilated(x, state["weight"], stride, pads, dimension_numbers=layout)
    return y + state["bias"] if "bias" in state else y, None


def _batch_norm(eps: float, rate: float, state: Any, x: Array) -> tuple[Array, Any]:
    mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
    count = x.size // x.shape[-1]
    y = (x - mean) * lax.rsqrt(variance + eps) * state["weight"] + state["bias"]
    averages = {
        "running_mean": (1 - rate) * state["running_mean"] + rate * mean,
        "running_var": (1 - rate) * state["running_var"] + rate * variance * count / (count - 1),
    }
    return y, lax.stop_gradient(averages)


def _pool(operation: Any, start: float, state: Any, x: Array) -> tuple[Array, None]:
    """Combine windows of 2 x 2; the last ones of an odd image are smaller."""
    pads = [(0, 0), *((0, size % 2) for size in x.shape[1:3]), (0, 0)]
    return lax.reduce_window(x, start, operation, (1, 2, 2, 1), (1, 2, 2, 1), pads), None


def _mean_pool(state: Any, x: Array) -> tuple[Array, None]:
    total, _ = _pool(lax.add, 0.0, {}, x)
    counts, _ = _pool(lax.add, 0.0, {}, jnp.ones_like(x[:1]))
    return total / counts, None
