"""Results of a search: a row for each trial, and a summary of each study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from virtuallab.console import TerminalTable, terminal_table
from virtuallab.protocol import Search, SearchStudy
from virtuallab.text import count_noun, short
from virtuallab.vocabulary import describe as described

_NEAR = 0.95  # of the best
_WIDTH = 21  # of the rules' column, so that the table fits in 80 columns


@dataclass(frozen=True)
class Trial:
    """One trial.

    Parameters
    ----------
    number : int
        Counted from 0 in its study.
    settings : mapping
        Value of each open setting, by path.
    value : float
        Its objective; NaN if it did not end.
    diverged : int
        Number of its subjects that diverged.
    state : str
        ``"complete"``, or ``"failed"`` if the search was killed before it ended.
    """

    number: int
    settings: Mapping[str, Any]
    value: float
    diverged: int
    state: str


@dataclass(frozen=True)
class StudyResult:
    """Result of a study.

    Parameters
    ----------
    study : SearchStudy
    settings : mapping
        Those of the best trial.
    best, median : float
        Value of the best trial, and the median over trials.
    near : float
        Share of trials within 95 % of the best; high if the settings matter little.
    trials : int
        Number of complete trials.
    is_hopeless : bool
        True if all subjects of the best trial diverged.
    """

    study: SearchStudy
    settings: Mapping[str, Any]
    best: float
    median: float
    near: float
    trials: int
    is_hopeless: bool

    @property
    def sentence(self) -> str:
        """The result as one line."""
        where = f"{self.study.label}, {self.study.architecture}, {self.study.task}"
        if self.is_hopeless:
            return f"{where}: no trial did better than one that diverged; it is left open"
        return f"{where}: {self.best:.4g}"


def table(found: Mapping[str, tuple[SearchStudy, Sequence[Trial]]]) -> pd.DataFrame:
    """Return all trials of all studies, one row a trial."""
    studies = [study for study, _ in found.values()]
    paths = dict.fromkeys(path for study in studies for path in (*study.point, *study.space))
    rows = [
        {
            "study": name,
            "rule": study.entry.label,
            "architecture": study.architecture,
            "task": study.task,
            "trial": trial.number,
            **dict.fromkeys(paths),
            **study.point,
            **trial.settings,
            "value": trial.value,
            "diverged": trial.diverged,
            "state": trial.state,
        }
        for name, (study, trials) in found.items()
        for trial in trials
    ]
    return pd.DataFrame(rows)


def summarise(study: SearchStudy, how: Search, trials: Sequence[Trial]) -> StudyResult:
    """Return the best trial of a study, and the share of trials near it."""
    complete = [trial for trial in trials if trial.state == "complete"]
    values = pd.Series([trial.value for trial in complete])
    best = complete[int(values.argmax() if how.maximised else values.argmin())]
    near = values >= _NEAR * best.value if how.maximised else values <= best.value / _NEAR
    return StudyResult(
        study=study,
        settings=best.settings,
        best=best.value,
        median=float(values.median()),
        near=float(near.mean()),
        trials=len(complete),
        is_hopeless=best.diverged == how.seeds,
    )


def describe(name: str, how: Search, found: Sequence[StudyResult]) -> TerminalTable:
    """Return a table of the results of studies for the terminal."""
    most = max(result.trials for result in found)
    measure = described(how.objective)["long_name"]
    lines = terminal_table(
        title=f"{name}: best of {count_noun(most, 'trial')} by {measure}",
        caption=f"near: share of trials within {100 * _NEAR:g} % of the best",
    )
    longest = max(len(result.study.label) for result in found)
    lines.add_column("rule", overflow="fold", min_width=min(longest, _WIDTH))
    lines.add_column("network, task", overflow="fold")
    lines.add_column("best", no_wrap=True)
    lines.add_column("best settings", no_wrap=True)
    lines.add_column("median", no_wrap=True)
    lines.add_column("near", no_wrap=True)
    for result in found:
        settings = "\n".join(
            f"{path.removeprefix('optimizer.')} {short(v)}" for path, v in result.settings.items()
        )
        cells = [
            result.study.label,
            f"{result.study.architecture}, {result.study.task}",
            f"{result.best:.4g}",
            "all diverge" if result.is_hopeless else settings,
            f"{result.median:.4g}",
            "-" if result.is_hopeless else f"{100 * result.near:.0f} %",
        ]
        lines.add_row(*cells)
    return lines
