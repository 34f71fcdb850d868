"""Description of sample columns: a statistic, at a stage of learning and a depth.

Many statistics are correlated, so removing one of them alone has little effect. :data:`FAMILIES`
groups statistics that are derived from one quantity.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import jaxtyping as jt
import numpy as np
import xarray as xr

from virtuallab.decoder.features.samples import places_of, stages
from virtuallab.labels import label_text

DEPTHS: Final = ("early", "middle", "deep", "middle - early", "deep - middle")

# A statistic belongs to the first family whose pattern its name begins with. Steps of the whole
# pattern, of its tuning and of its class part share a family: in recordings their correlation is
# 0.9 or more.
FAMILIES: Final = (
    ("weights: growth", r"weight(abs|raw)_(mean|median|thirdquartile|sd)_"),
    ("weights: distance from the start", r"weight_cosine_start"),
    ("weights: steps", r"weight_(cosine_last|step|pace)"),
    ("weights: path", r"weight_(turn|straightness)"),
    ("weights: distribution", r"weight(_evenness|raw_kurtosis)"),
    ("responses: growth", r"act(abs|raw)_"),
    ("responses: distance from the start", r"act_(tuned_|class_)?cosine_start"),
    ("responses: steps", r"act_(tuned_|class_)?(cosine_last|step|pace)"),
    ("responses: path", r"act_(tuned_|class_)?(turn|straightness)"),
    ("responses: geometry", r"act_(similarity|dimension)_"),
    ("responses: silence", r"act_(silent|switched)"),
    ("responses: classes", r"act_(separation|class_share)"),
    ("movement: units", r"act_move_units_"),
    ("movement: stimuli", r"act_move_similarity_"),
    ("movement: classes", r"act_move_class_"),
    ("movement: dimension", r"act_move_dimension"),
    ("movement: mean and evenness", r"act_(move_mean_|common_share|evenness)"),
    ("sensitivity: growth", r"gradavgabs_"),
    ("sensitivity: balance", r"gradavg_balance"),
    ("sensitivity: distance from the start", r"gradavg_cosine_start"),
    ("sensitivity: steps", r"gradavg_(cosine_last|step|pace)"),
    ("sensitivity: path", r"gradavg_(turn|straightness)"),
    ("theory: geometry of weight changes", r"theory_weight_"),
    ("theory: null space", r"theory_act_(null|potent|dimension)"),
    ("theory: read-out", r"theory_act_readout"),
    ("theory: class means", r"theory_act_class"),
)
UNRELATED: Final = "others"

KINDS: Final = ("statistic", "family", "stage", "depth", "observable")


@dataclass(frozen=True)
class Columns:
    """Description of the columns of :func:`~virtuallab.decoder.features.samples.by_subject`.

    Parameters
    ----------
    statistic, observable : array of str, (column,)
        Name of the change, and what it is a change of.
    stage : array of int, (column,)
        Stage of learning, 0 the first.
    first_visit, last_visit : array of int, (column,)
        Visits that the stage is the mean of.
    depth : array of str, (column,)
        One of :data:`DEPTHS`.
    """

    statistic: np.ndarray
    observable: np.ndarray
    stage: jt.Int[np.ndarray, " column"]
    first_visit: jt.Int[np.ndarray, " column"]
    last_visit: jt.Int[np.ndarray, " column"]
    depth: np.ndarray

    @property
    def names(self) -> list[str]:
        """Name of each column, ``"STATISTIC|DEPTH|visits FIRST-LAST"``."""
        parts = zip(self.statistic, self.depth, self.first_visit, self.last_visit, strict=True)
        return [f"{statistic}|{depth}|visits {a}-{b}" for statistic, depth, a, b in parts]


def columns_of(features: xr.Dataset, observable: str) -> Columns:
    """Description of the columns of the samples of an observable, from features of one probe."""
    chosen = places_of(features, "change_observable", observable)
    observables = label_text(features["change_observable"])[chosen]
    names = label_text(features["change_name"])[chosen]
    visits = features["visit"].to_numpy()
    learning = visits[visits > 0] if len(visits) > 1 else visits
    spans = [learning[stage] for stage in stages(len(learning))]
    # The order of the columns: by depth, then by statistic, then by stage.
    depth, name, stage = (
        index.ravel() for index in np.indices((len(DEPTHS), len(names), len(spans)))
    )
    return Columns(
        statistic=names[name],
        observable=observables[name],
        stage=stage,
        first_visit=np.array([span[0] for span in spans], dtype=np.int64)[stage],
        last_visit=np.array([span[-1] for span in spans], dtype=np.int64)[stage],
        depth=np.array(DEPTHS)[depth],
    )


def family_of(statistic: str) -> str:
    """Family of a change, by its name.

    >>> family_of("actabs_mean_increment"), family_of("act_class_step")
    ('responses: growth', 'responses: steps')
    """
    found = (family for family, pattern in FAMILIES if re.match(pattern, statistic))
    return next(found, UNRELATED)


@dataclass(frozen=True)
class Group:
    """Columns that are permuted together: ``kind`` is one of :data:`KINDS`.

    ``observable`` is ``"all"`` if the columns are changes of several.
    """

    name: str
    kind: str
    observable: str
    member: jt.Bool[np.ndarray, " column"]


def groups_of(columns: Columns, measured: jt.Bool[np.ndarray, " column"]) -> Iterator[Group]:
    """Yield columns grouped by statistic, family, stage, depth, and observable if several.

    Names of groups are unique. Groups without measurements are left out.
    """
    spans = zip(columns.first_visit.tolist(), columns.last_visit.tolist(), strict=True)
    keys = {
        "statistic": columns.statistic,
        "family": np.array([family_of(name) for name in columns.statistic.tolist()]),
        "stage": np.array([stage_name(*span) for span in spans]),
        "depth": columns.depth,
        "observable": columns.observable,
    }
    if len(np.unique(columns.observable[measured])) < 2:
        del keys["observable"]
    for kind, key in keys.items():
        for name in dict.fromkeys(key.tolist()):
            member = key == name
            found = np.unique(columns.observable[member & measured])
            if len(found):
                yield Group(name, kind, str(found[0]) if len(found) == 1 else "all", member)


def stage_name(first: int, last: int) -> str:
    """Name of a stage, from its visits.

    >>> stage_name(1, 1), stage_name(5, 7)
    ('visit 1', 'visits 5 to 7')
    """
    return f"visit {first}" if first == last else f"visits {first} to {last}"
