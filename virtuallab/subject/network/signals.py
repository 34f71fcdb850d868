"""Arithmetic on the tensors of all subjects of a cohort.

The signal of a dense layer is ``(subject, batch, unit)``; the signal of a convolution is ``(batch,
subject*channel, height, width)``, channels last in memory. Weights, biases and optimizer states
have the subject axis first. These functions work on either layout, so that rules hold for both.
"""

from __future__ import annotations

import torch

from virtuallab.subject.network.precision import promoted


def is_dense(signal: torch.Tensor) -> bool:
    """True if a signal has the layout of a dense layer."""
    return signal.dim() == 3


def batch_size(signal: torch.Tensor) -> int:
    """Number of samples in a layer's signal."""
    return signal.shape[1] if is_dense(signal) else len(signal)


def unit_shape(signal: torch.Tensor, subjects: int) -> tuple[int, ...]:
    """Shape of one subject's units in a layer's signal: ``(unit,)`` or ``(channel, h, w)``."""
    if is_dense(signal):
        return tuple(signal.shape[2:])
    return signal.shape[1] // subjects, *signal.shape[2:]


def per_subject(values: float | torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """View of one number per subject that multiplies a tensor whose first axis is subjects."""
    numbers = values if isinstance(values, torch.Tensor) else like.new_tensor(values)
    return numbers.view(-1, *[1] * (like.dim() - 1))


def per_unit(values: torch.Tensor, signal: torch.Tensor) -> torch.Tensor:
    """View of ``(subject, post)`` that can be added to a layer's signal or multiply it."""
    return values.unsqueeze(1) if is_dense(signal) else values.view(1, -1, 1, 1)


def scale(values: float | torch.Tensor, tensor: torch.Tensor) -> torch.Tensor:
    """Signal or weight times one number per subject.

    A tensor of four axes is taken for the signal of a convolution; of other tensors the first axis
    is subjects.
    """
    if tensor.dim() != 4 or not isinstance(values, torch.Tensor):
        return tensor * per_subject(values, tensor)
    channels = values.repeat_interleave(tensor.shape[1] // len(values))
    return tensor * channels.view(1, -1, 1, 1)


def scale_samples(weights: torch.Tensor, signal: torch.Tensor) -> torch.Tensor:
    """Signal with each sample multiplied by its own weight ``(batch, subject)``."""
    if is_dense(signal):
        return signal * weights.T.unsqueeze(2)
    channels = weights.repeat_interleave(signal.shape[1] // weights.shape[1], 1)
    return signal * channels.view(*channels.shape, 1, 1)


def by_sample(signal: torch.Tensor, subjects: int) -> torch.Tensor:
    """View of a signal as ``(batch, subject, number)``."""
    if is_dense(signal):
        return signal.transpose(0, 1)
    return signal.reshape(len(signal), subjects, -1)


def join_subjects(parts: torch.Tensor) -> torch.Tensor:
    """Layer's signal from ``(subject, batch, *unit_shape)``."""
    if is_dense(parts):
        return parts
    joined = parts.transpose(0, 1).flatten(1, 2)
    return joined.contiguous(memory_format=torch.channels_last)


def subtract_batch_mean(signal: torch.Tensor) -> torch.Tensor:
    """Signal minus each unit's mean over the batch."""
    return signal - signal.mean(1 if is_dense(signal) else 0, keepdim=True)


def normalise_samples(signal: torch.Tensor, subjects: int) -> torch.Tensor:
    """Signal with each sample of each subject scaled to a mean square of one, in float32."""
    signal = promoted(signal)
    if is_dense(signal):
        return signal * torch.rsqrt(signal.square().mean(2, keepdim=True) + 1e-8)
    parts = signal.view(len(signal), subjects, -1, *signal.shape[2:])
    scaled = parts * torch.rsqrt(parts.square().mean((2, 3, 4), keepdim=True) + 1e-8)
    return scaled.flatten(1, 2).contiguous(memory_format=torch.channels_last)
