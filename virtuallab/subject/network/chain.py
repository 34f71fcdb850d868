"""Networks whose modules run one after another, with a backward pass that is written out.

Small networks spend more time in torch's automatic differentiation than in arithmetic. A chain
calls the same kernels in the same order, so that gradients are the same, bit for bit. A residual
block is one of its modules. Networks with other connections are left to automatic differentiation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from virtuallab.subject.network.layer import LayerTrace, PopulationLayer
from virtuallab.subject.network.layers.dropout import PopulationDropout
from virtuallab.subject.network.layers.normalisation import (
    PopulationBatchNorm,
    PopulationGroupNorm,
    PopulationLayerNorm,
    PopulationLocalResponseNorm,
)
from virtuallab.subject.network.layers.synaptic import (
    PopulationConv2d,
    PopulationLinear,
    by_subject,
    channels_last,
    together,
)
from virtuallab.subject.network.pathways import FeedbackPathway
from virtuallab.subject.network.population import CHANNELWISE
from virtuallab.subject.network.precision import promoted
from virtuallab.subject.network.residual import Residual
from virtuallab.subject.network.synapse import Conv, Dense, Synapse

_aten = torch.ops.aten

Backward = Callable[[Tensor], Tensor | None]  # error after a module -> error before it


@dataclass
class _Pass:
    """A forward pass and the backward pass of its error.

    Attributes
    ----------
    subjects : int
    pathway : FeedbackPathway or None
    gradients : dict from int to Tensor
        Gradient of each parameter, by its ``id``.
    has_parameters : bool
        Whether a module so far has parameters. Below the first such module, no error is needed.
    """

    subjects: int
    pathway: FeedbackPathway | None
    gradients: dict[int, Tensor] = field(default_factory=dict)
    has_parameters: bool = False

    def enter(self) -> bool:
        """Note a module with parameters; True if an error must return below it."""
        below, self.has_parameters = self.has_parameters, True
        return below


class Chain:
    """Modules that run one after another.

    Signals between the modules have the layout that the modules give them: the order of a sum
    depends on it.

    Parameters
    ----------
    modules : sequence of nn.Module
        Of a population.
    subjects : int
    """

    def __init__(self, modules: Sequence[nn.Module], subjects: int) -> None:
        self._modules, self._subjects = modules, subjects

    @classmethod
    def of(cls, population: nn.Module, subjects: int) -> Chain | None:
        """Chain of a population; None if its modules do not run one after another."""
        modules = _in_order(population)
        if modules is None or not _is_dense(modules):
            return None
        return cls(modules, subjects)

    def scores(
        self, stimuli: Tensor, pathway: FeedbackPathway | None
    ) -> tuple[Tensor, Callable[[Tensor], dict[int, Tensor]]]:
        """Scores of stimuli, and the function that returns their error.

        Parameters
        ----------
        stimuli : Tensor, (batch, subject*channel, ...)
        pathway : FeedbackPathway or None
            Its traces are filled. None: the error returns through the forward weights.

        Returns
        -------
        scores : Tensor, (batch, subject, class)
        backward : callable
            Of the error ``(batch, subject, class)``. It returns the gradient of each parameter, by
            the ``id`` of the parameter, and can be called once.
        """
        run = _Pass(self._subjects, pathway)
        signal, back = _along(self._modules, stimuli, run)

        def backward(error: Tensor) -> dict[int, Tensor]:
            back(error.flatten(1))
            return run.gradients

        return promoted(signal).view(len(stimuli), self._subjects, -1), backward


def _along(modules: Sequence[nn.Module], x: Tensor, run: _Pass) -> tuple[Tensor, Backward]:
    """Signal after several modules, and the backward pass of all of them."""
    steps: list[tuple[Backward, torch.dtype]] = []
    for module in modules:
        x, step = _operation(module)(module, x, run)
        if run.has_parameters:
            steps.append((step, x.dtype))

    def backward(error: Tensor) -> Tensor | None:
        down: Tensor | None = error
        while steps and down is not None:
            step, dtype = steps.pop()
            down = step(down.to(dtype))  # in mixed precision, that of the module's result
        return down

    return x, backward


def _operation(module: nn.Module) -> Callable[[Any, Tensor, _Pass], tuple[Tensor, Backward]]:
    if isinstance(module, Residual):
        return _residual
    return _OPERATIONS.get(type(module), _differentiated)


def _in_order(module: nn.Module) -> list[nn.Module] | None:
    """Modules of nested sequences; None if another container is among them."""
    if isinstance(module, (*_OF_POPULATIONS, Residual)) or not any(True for _ in module.children()):
        return [module]
    if type(module) is not nn.Sequential:
        return None
    parts = [_in_order(child) for child in module]
    return None if None in parts else [each for part in parts if part for each in part]


def _is_dense(modules: Sequence[nn.Module], *, before: bool = False) -> bool | None:
    """True if a signal is that of a dense layer after these modules, False if it is a map.

    None if a module is not known, or receives a signal of the other kind. ``before`` is True if the
    signal is already dense before the modules.
    """
    dense = before
    for module in modules:
        if isinstance(module, nn.Flatten):
            if dense or (module.start_dim, module.end_dim) != (1, -1):
                return None
            dense = True
        elif isinstance(module, PopulationLayer):
            expected: type[nn.Module] = PopulationLinear if dense else PopulationConv2d
            if type(module) is not expected:
                return None
            if isinstance(module, PopulationConv2d) and module.trim:  # it pads its input first
                return None
        elif isinstance(module, Residual):
            if any(_is_dense(part, before=dense) is not dense for part in module.branches()):
                return None
        else:
            known = isinstance(module, (*CHANNELWISE, *_OF_POPULATIONS))
            if not known or getattr(module, "inplace", False):
                return None
    return dense


def _flatten(module: nn.Flatten, x: Tensor, run: _Pass) -> tuple[Tensor, Backward]:
    return x.flatten(1), lambda error: error.reshape(x.shape)


def _identity(module: nn.Identity, x: Tensor, run: _Pass) -> tuple[Tensor, Backward]:
    return x, lambda error: error


def _relu(module: nn.ReLU, x: Tensor, run: _Pass) -> tuple[Tensor, Backward]:
    y = torch.relu(x)
    return y, lambda error: _aten.threshold_backward(error, y, 0)


def _max_pool(module: nn.MaxPool2d, x: Tensor, run: _Pass) -> tuple[Tensor, Backward]:
    stride, ceil = module.stride, module.ceil_mode
    window = [_both(each) for each in (module.kernel_size, stride, module.padding, module.dilation)]
    y, indices = _aten.max_pool2d_with_indices(x, *window, ceil)
    return y, lambda e: _aten.max_pool2d_with_indices_backward(e, x, *window, ceil, indices)


def _average_pool(module: nn.AvgPool2d, x: Tensor, run: _Pass) -> tuple[Tensor, Backward]:
    window = [_both(each) for each in (module.kernel_size, module.stride, module.padding)]
    options = (*window, module.ceil_mode, module.count_include_pad, module.divisor_override)
    return _aten.avg_pool2d(x, *options), lambda e: _aten.avg_pool2d_backward(e, x, *options)


def _both(size: int | tuple[int, ...]) -> list[int]:
    """Height and width."""
    return [size, size] if isinstance(size, int) else list(size)


def _convolution(module: PopulationConv2d, x: Tensor, run: _Pass) -> tuple[Tensor, Backward]:
    x = channels_last(x)
    return _response(module, x, module.synapse(x), run)


def _dense(module: PopulationLinear, x: Tensor, run: _Pass) -> tuple[Tensor, Backward]:
    z, back = _response(module, by_subject(x, run.subjects), Dense(), run)

    def backward(error: Tensor) -> Tensor | None:
        down = back(by_subject(error, run.subjects))
        return None if down is None else together(down)

    return together(z), backward


def _response(
    layer: PopulationLayer, x: Tensor, synapse: Synapse, run: _Pass
) -> tuple[Tensor, Backward]:
    """Linear response of a layer; its error returns by the pathway."""
    downward, pathway = run.enter(), run.pathway
    weight = layer.weight.detach()
    back = weight if pathway is None or layer.backward_weight is None else layer.backward_weight
    send = None if pathway is None else pathway.send
    z = synapse.project(x, weight, layer.bias)
    trace = None
    if pathway is not None and pathway.record:
        trace = pathway.traces[layer] = LayerTrace(synapse, x, z)
    exact = back is weight and trace is None and send is None

    def backward(error: Tensor) -> Tensor | None:
        offset = None
        if exact and isinstance(synapse, Conv):
            biased = layer.bias is not None
            down, step, offset = synapse.gradients(error, x, weight, downward=downward, bias=biased)
        else:
            down, step = synapse.backpropagate(error, x, back, downward=downward and send is None)
            if downward and send is not None:
                down = send(layer, error, x)
            if trace is not None:
                trace.error, trace.down = error, down
            if layer.bias is not None:
                offset = synapse.sum_batch(error, run.subjects)
        run.gradients[id(layer.weight)] = step
        if offset is not None:
            run.gradients[id(layer.bias)] = offset
        return down

    return z, backward


def _batch_norm(module: PopulationBatchNorm, x: Tensor, run: _Pass) -> tuple[Tensor, Backward]:
    downward = run.enter() if module.weight is not None else run.has_parameters
    by_batch = module.by_batch
    mean, var, weight, bias = module.flat()
    y, *saved = torch.native_batch_norm(
        x, weight, bias, mean, var, by_batch, module.momentum or 0.0, module.eps
    )

    def backward(error: Tensor) -> Tensor | None:
        affine = weight is not None
        down, *found = _aten.native_batch_norm_backward(
            error, x, weight, mean, var, *saved, by_batch, module.eps, (downward, affine, affine)
        )
        for parameter, gradient in zip((module.weight, module.bias), found, strict=True):
            if parameter is not None:
                run.gradients[id(parameter)] = gradient.view_as(parameter)
        return down if downward else None

    return y, backward


def _residual(module: Residual, x: Tensor, run: _Pass) -> tuple[Tensor, Backward]:
    branches = module.branches()
    x, before = _along(branches.before, x, run)
    shortcut, by_shortcut = _along(branches.shortcut, x, run)
    response, by_main = _along(branches.main, x, run)
    y, after = _along(branches.after, response + shortcut, run)

    def backward(error: Tensor) -> Tensor | None:
        at_sum = after(error)
        if at_sum is None:
            return None
        first, second = by_main(at_sum), by_shortcut(at_sum)
        return None if first is None or second is None else before(first + second)

    return y, backward


def _differentiated(module: nn.Module, x: Tensor, run: _Pass) -> tuple[Tensor, Backward]:
    """Any other module, by automatic differentiation of this module alone."""
    parameters = list(module.parameters())
    downward = run.enter() if parameters else run.has_parameters
    with torch.enable_grad():
        leaf = x.detach().requires_grad_(downward)
        y = module(leaf)

    def backward(error: Tensor) -> Tensor | None:
        found = torch.autograd.grad(y, [*parameters, leaf] if downward else parameters, error)
        run.gradients.update(zip(map(id, parameters), found, strict=False))
        return found[-1] if downward else None

    return y.detach(), backward


_OF_POPULATIONS = (
    PopulationBatchNorm,
    PopulationDropout,
    PopulationGroupNorm,
    PopulationLayerNorm,
    PopulationLocalResponseNorm,
)
_OPERATIONS: Mapping[type[nn.Module], Callable[[Any, Tensor, _Pass], tuple[Tensor, Backward]]] = {
    nn.Flatten: _flatten,
    nn.Identity: _identity,
    nn.ReLU: _relu,
    nn.MaxPool2d: _max_pool,
    nn.AvgPool2d: _average_pool,
    PopulationConv2d: _convolution,
    PopulationLinear: _dense,
    PopulationBatchNorm: _batch_norm,
}
