"""Cache of the results of designs, a small file each.

An interrupted comparison continues, and one with further designs evaluates only these.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from virtuallab.errors import MachineError
from virtuallab.lab.stages.experiment import Experiment
from virtuallab.store.files.atomic_write import write_json, writing


class ResultCache:
    """A folder of results.

    Parameters
    ----------
    folder : Path
        Created with the first result.
    decisive : mapping
        Plain data: all settings besides the design that determine a result.
    """

    def __init__(self, folder: Path, decisive: Mapping[str, Any]) -> None:
        self._folder = folder
        self._decisive = decisive

    @classmethod
    def of(cls, experiment: Experiment) -> ResultCache:
        """Cache beside an experiment, for all protocols whose designs are evaluated in it."""
        kept = experiment.plan.protocol.resolved()
        decisive = {
            "seed": kept["seed"],
            "subjects": kept["subjects"],
            "visits": experiment.store.plan["visits"],
        }
        return cls(experiment.beside(f"{experiment.store.path.stem}.designs"), decisive)

    def get(self, trial: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the result of a design, if it was kept.

        Raises
        ------
        MachineError
            If the file is damaged.
        """
        file = self._file(trial)
        try:
            found = json.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise MachineError(f"{file} is damaged. Remove it, and the design is evaluated again.")
        return found

    def keep(self, trial: Mapping[str, Any], outcome: Mapping[str, Any]) -> None:
        """Keep the result of a design.

        Raises
        ------
        MachineError
            If the disk is full or fails.
        """
        with writing(self._folder):
            write_json(self._file(trial), outcome)

    def _file(self, trial: Mapping[str, Any]) -> Path:
        text = json.dumps([self._decisive, trial], sort_keys=True, separators=(",", ":"))
        return self._folder / f"{hashlib.sha256(text.encode()).hexdigest()[:24]}.json"
