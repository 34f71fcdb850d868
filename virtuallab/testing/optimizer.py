"""Conformance check of optimizers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from virtuallab.registry import OPTIMIZERS
from virtuallab.subject.optimizer import Optimizer, State, with_scaled_rates
from virtuallab.subject.rule import stack_settings
from virtuallab.testing.plugin import broken, plugin_instance, varied

_SUBJECTS = 3
_SHAPES = ((4, 5), (4,), (2, 3, 3, 3))  # of a subject's weights: dense, bias, convolution
_STEPS = 20
_DESCENT = 200
_TOLERANCE = 1e-12

Counterpart = Callable[[Sequence[Tensor]], torch.optim.Optimizer]


def check_optimizer(
    optimizer: str | type[Optimizer] | Optimizer, counterpart: Counterpart | None = None
) -> None:
    """Check that an optimizer changes each subject's weights by the subject's own settings.

    In a cohort, in which every real-numbered setting is a tensor (subject,), each subject changes
    as it does alone (to 1e-12, in float64), also beside a subject that is not finite. Steps are not
    changed. Tensors of the state have the subject as their first axis. Weights that follow the
    gradient of their squared norm become smaller. At a learning rate of 0, with which some
    schedules begin, weights keep their values, also those whose step is 0.

    Parameters
    ----------
    optimizer : str, type or Optimizer
        A registered name, a class (both with default settings), or an instance.
    counterpart : callable, optional
        Makes the same optimizer with the same settings from a list of tensors, such as
        ``lambda tensors: torch.optim.SGD(tensors, lr=0.01)``. The weights must then be equal (to
        1e-12).

    Raises
    ------
    AssertionError
        With what the optimizer breaks.
    """
    made: Optimizer = plugin_instance(optimizer, OPTIMIZERS, Optimizer)
    _check_cohort(made)
    _check_rate_of_zero(made)
    if counterpart is not None:
        _check_counterpart(made, counterpart)
    _check_descent(made)


def _weights(subjects: int, seed: int = 1) -> list[Tensor]:
    """Random tensors ``(subject, ...)`` of small weights."""
    stream = torch.Generator().manual_seed(seed)
    return [
        torch.randn((_SUBJECTS, *shape), generator=stream, dtype=torch.float64)[:subjects]
        for shape in _SHAPES
    ]


def _steps(step: int) -> list[Tensor]:
    return _weights(_SUBJECTS, seed=100 + step)


def _check_cohort(optimizer: Optimizer) -> None:
    each = [varied(optimizer, number) for number in range(_SUBJECTS)]
    together = _weights(_SUBJECTS)
    try:
        cohort = stack_settings(each, torch.float64)
        state = cohort.init(together)
        _check_state(optimizer, state)
        for step in range(_STEPS):
            steps = _steps(step)
            cohort.update(together, steps, state)
            if not _equal(steps, _steps(step)):
                broken(
                    "optimizer",
                    optimizer,
                    "changes the steps in place; change parameters and state alone",
                )
    except (TypeError, ValueError, RuntimeError) as error:
        broken(
            "optimizer",
            optimizer,
            f"fails in a cohort of {_SUBJECTS} ({type(error).__name__}: {error}). A real-numbered "
            "setting is a tensor (subject,) there; multiply by per_subject(setting, tensor)",
        )
    _check_state(optimizer, state)
    for place, own in enumerate(each):
        alone = [tensor[[place]] for tensor in _weights(_SUBJECTS)]
        _run(stack_settings([own], torch.float64), alone, [place])
        single = [tensor[[place]] for tensor in _weights(_SUBJECTS)]
        _run(own, single, [place])
        for name, found in (("in a cohort", [t[[place]] for t in together]), ("alone", alone)):
            if not _equal(found, single, _TOLERANCE):
                broken(
                    "optimizer",
                    optimizer,
                    f"changes a subject {name} by other settings than the subject's own. Multiply "
                    "by per_subject(setting, tensor)",
                )
    _check_neighbours(optimizer, each, together)


def _run(optimizer: Optimizer, weights: Sequence[Tensor], places: list[int]) -> None:
    state = optimizer.init(weights)
    for step in range(_STEPS):
        optimizer.update(weights, [each[places] for each in _steps(step)], state)


def _check_state(optimizer: Optimizer, state: State) -> None:
    for name, value in state.items():
        for tensor in value if isinstance(value, list) else [value]:
            if isinstance(tensor, Tensor) and (not tensor.dim() or len(tensor) != _SUBJECTS):
                broken(
                    "optimizer",
                    optimizer,
                    f"has a tensor of shape {tuple(tensor.shape)} in its state {name!r}; the first "
                    f"axis must be the {_SUBJECTS} subjects",
                )


def _check_neighbours(
    optimizer: Optimizer, each: Sequence[Optimizer], expected: Sequence[Tensor]
) -> None:
    cohort, weights = stack_settings(each, torch.float64), _weights(_SUBJECTS)
    state = cohort.init(weights)
    for step in range(_STEPS):
        steps = _steps(step)
        for tensor in steps:
            tensor[1] = torch.nan
        cohort.update(weights, steps, state)
    kept = [0, 2]
    if not _equal([tensor[kept] for tensor in weights], [tensor[kept] for tensor in expected]):
        broken(
            "optimizer", optimizer, "changes other subjects where one has steps that are not finite"
        )


def _check_rate_of_zero(optimizer: Optimizer) -> None:
    cohort = stack_settings([optimizer] * _SUBJECTS, torch.float64)
    weights, before = _weights(_SUBJECTS), _weights(_SUBJECTS)
    state = cohort.init(weights)
    still = with_scaled_rates(cohort, torch.tensor([1.0, 0.0, 1.0], dtype=torch.float64))
    steps = _steps(0)
    for tensor in steps:
        tensor[:, 0] = 0  # as of weights to units that are never active
    still.update(weights, steps, state)
    if not _equal([tensor[[1]] for tensor in weights], [tensor[[1]] for tensor in before]):
        broken(
            "optimizer",
            optimizer,
            "changes weights, or makes them NaN, at a learning rate of 0, with which a schedule "
            "may begin",
        )


def _check_counterpart(optimizer: Optimizer, counterpart: Counterpart) -> None:
    together = _weights(_SUBJECTS)
    _run(stack_settings([optimizer] * _SUBJECTS, torch.float64), together, [0, 1, 2])
    for place in range(_SUBJECTS):
        plain = [tensor[place].clone().requires_grad_() for tensor in _weights(_SUBJECTS)]
        made = counterpart(plain)
        for step in range(_STEPS):
            for tensor, gradient in zip(plain, _steps(step), strict=True):
                tensor.grad = gradient[place].clone()
            made.step()
        found = [tensor[place] for tensor in together]
        expected = [tensor.detach() for tensor in plain]
        if not _equal(found, expected, _TOLERANCE):
            apart = max(float((a - b).abs().max()) for a, b in zip(found, expected, strict=True))
            broken(
                "optimizer",
                optimizer,
                f"differs from {type(made).__name__} by up to {apart:.1e} after {_STEPS} steps",
            )


def _check_descent(optimizer: Optimizer) -> None:
    weights = _weights(1)
    before = [float(tensor.square().sum()) for tensor in weights]
    state = optimizer.init(weights)
    for _ in range(_DESCENT):
        optimizer.update(weights, [tensor.clone() for tensor in weights], state)
    after = [float(tensor.square().sum()) for tensor in weights]
    if not all(now < was for now, was in zip(after, before, strict=True)):
        broken(
            "optimizer",
            optimizer,
            "does not lower the squared norm of weights along its gradient. Steps are gradients: "
            "subtract them",
        )


def _equal(found: Sequence[Tensor], expected: Sequence[Tensor], tolerance: float = 0.0) -> bool:
    pairs = zip(found, expected, strict=True)
    return all(torch.allclose(a, b, rtol=0, atol=tolerance) for a, b in pairs)
