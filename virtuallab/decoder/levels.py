"""Levels: coarser questions than the rule, such as which optimizer or how the error returns.

At a level, rules form groups. A recording that does not distinguish the rules of a group may still
identify the group. Probabilities, prediction sets and confusion matrices of rules give those of
groups, without training a decoder again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import xarray as xr

from virtuallab.vocabulary import RULE

GROUP: Final = "group"


@dataclass(frozen=True)
class Level:
    """A question that is coarser than the rule.

    Parameters
    ----------
    name : str
        Short name, such as "optimizer".
    question : str
        The question that the groups answer, such as "Which optimizer?".
    groups : mapping from str to str
        Group of each rule label. A label that it does not have forms a group of its own.
    """

    name: str
    question: str
    groups: Mapping[str, str]

    def group_of(self, rule: str) -> str:
        """Group of a rule label."""
        return self.groups.get(rule, rule)

    def members(self, rules: Iterable[str]) -> dict[str, list[str]]:
        """Labels by group, in their order.

        Parameters
        ----------
        rules : iterable of str

        Returns
        -------
        dict from group to list of labels
        """
        found: dict[str, list[str]] = {}
        for rule in rules:
            found.setdefault(self.group_of(rule), []).append(rule)
        return found

    def is_informative(self, rules: Collection[str]) -> bool:
        """Return whether the level has several groups of these rules, and fewer than rules.

        Parameters
        ----------
        rules : collection of str
            Labels.
        """
        return 1 < len(self.members(rules)) < len(set(rules))


def informative_levels(levels: Iterable[Level], rules: Collection[str]) -> tuple[Level, ...]:
    """Levels that are neither the same for all rules nor as fine as the rules.

    Parameters
    ----------
    levels : iterable of Level
    rules : collection of str
        Labels.

    Returns
    -------
    tuple of Level
    """
    return tuple(level for level in levels if level.is_informative(rules))


def coarse_probability(probability: xr.DataArray, level: Level) -> xr.DataArray:
    """Probability of each group: the sum over its rules.

    Parameters
    ----------
    probability : xr.DataArray, (..., rule)
    level : Level

    Returns
    -------
    xr.DataArray, (..., group)
        Groups in the order of their first rule.
    """
    return _joined(probability, level, RULE, GROUP).assign_attrs(probability.attrs)


def coarse_sets(in_set: xr.DataArray, level: Level) -> xr.DataArray:
    """Prediction sets of groups: a group is in the set if any of its rules is.

    The coverage is at least that of the sets of rules, since the group of a rule in the set is in
    the set.

    Parameters
    ----------
    in_set : xr.DataArray of bool, (..., rule)
    level : Level

    Returns
    -------
    xr.DataArray of bool, (..., group)
    """
    return _joined(in_set, level, RULE, GROUP) > 0


def coarse_confusion(confusion: xr.DataArray, level: Level) -> xr.DataArray:
    """Confusion matrix of groups: the counts of their rules, summed.

    Parameters
    ----------
    confusion : xr.DataArray, (..., true_rule, predicted_rule)
    level : Level

    Returns
    -------
    xr.DataArray, (..., true_group, predicted_group)
    """
    rows = _joined(confusion, level, "true_rule", "true_group")
    return _joined(rows, level, "predicted_rule", "predicted_group")


def _joined(values: xr.DataArray, level: Level, rule: str, group: str) -> xr.DataArray:
    """Sum over the rules of each group, along the last axis."""
    members = level.members(map(str, values[rule].to_numpy()))
    places = _places(values, rule, members.values())
    sums = [values.isel({rule: each}).sum(rule, skipna=False) for each in places]
    axis = xr.DataArray(np.array(list(members), dtype=object), dims=group, name=group)
    others = [dim for dim in values.dims if dim != rule]
    return xr.concat(sums, dim=axis).transpose(*others, group)


def _places(values: xr.DataArray, rule: str, groups: Iterable[Sequence[str]]) -> list[list[int]]:
    labels = [str(label) for label in values[rule].to_numpy()]
    return [[labels.index(label) for label in group] for group in groups]
