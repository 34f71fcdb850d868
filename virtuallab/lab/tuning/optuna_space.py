"""Open settings as distributions of Optuna, and parameters of Optuna as values of settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from virtuallab.protocol import SearchStudy
from virtuallab.protocol.settings.distributions import (
    Choice,
    Distribution,
    LogUniform,
    Uniform,
    rounded,
)

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution


def distribution(open_setting: Distribution) -> BaseDistribution:
    """Return the distribution of Optuna for an open setting."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    match open_setting:
        case Choice(values):
            # By position: a list is no value of Optuna.
            return CategoricalDistribution(range(len(values)))
        case Uniform(low, high) | LogUniform(low, high):
            log = isinstance(open_setting, LogUniform)
            if isinstance(low, int) and isinstance(high, int):
                return IntDistribution(low, high, log=log)
            return FloatDistribution(low, high, log=log)
    raise TypeError(f"{open_setting} is no distribution that can be searched")


def values_of(study: SearchStudy, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of settings for parameters of Optuna."""
    found: dict[str, Any] = {}
    for path, open_setting in study.space.items():
        if path not in params:
            continue  # the search was killed while the trial was proposed
        value = params[path]
        match open_setting:
            case Choice(values):
                found[path] = values[value]
            case Uniform(low, high) | LogUniform(low, high) if isinstance(value, float):
                found[path] = rounded(value, low, high)
            case _:
                found[path] = value
    return found
