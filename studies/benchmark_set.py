"""Make the benchmark set: ``python studies/benchmark_set.py``, about ten minutes.

Records the subjects of runs/nayebi2020.zarr (training) and runs/nayebi2020_confirmation.zarr (test)
again from their preserved states, and writes recordings, features, test labels, baselines, metadata
and checksums to runs/benchmark_set, and the scores of the baselines of this set to the
documentation. Stores are only read. The same stores give the same files.
``--verify`` compares a set with its checksums.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import xarray as xr

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from studies.benchmark import card, checksums  # noqa: E402  # found from the folder of the project
from studies.benchmark.baselines import LABELS, TEST, TRAINING, write_baselines  # noqa: E402
from studies.benchmark.recordings import KIND, RecordedSet, record_set  # noqa: E402
from virtuallab.errors import UserError  # noqa: E402
from virtuallab.lab.services.resources import stored  # noqa: E402
from virtuallab.store import Store  # noqa: E402
from virtuallab.vocabulary import ACTIVITY, PAIR, RULE, SUBJECT  # noqa: E402

STORES: Final = (Path("runs/nayebi2020.zarr"), Path("runs/nayebi2020_confirmation.zarr"))
SET: Final = Path("runs/benchmark_set")
RESULT: Final = Path("docs/science/results/benchmark_baselines.md")  # of that set
RECORDINGS: Final = ("training.nc", "test.nc")
LARGEST: Final = 1_000_000_000  # bytes of a set that is easy to pass on
COMPRESSION: Final = {"zlib": True, "complevel": 4, "shuffle": True}


def write_recordings(file: Path, found: RecordedSet, table: xr.Dataset) -> None:
    """Write recordings with some columns of the table of subjects as coordinates."""
    columns = {name: table[name] for name in map(str, table.data_vars)}
    dataset = found.recordings.assign_coords(columns)
    dataset.attrs = {"title": card.TITLE, "version": card.VERSION, "license": "CC-BY-4.0"}
    # One subject a chunk, so that one is read without the others.
    chunks = (1, *dataset[ACTIVITY].shape[1:])
    encoding: dict[str, dict[str, Any]] = {ACTIVITY: {**COMPRESSION, "chunksizes": chunks}}
    dataset.to_netcdf(file, engine="h5netcdf", encoding=encoding)


def write_features(file: Path, found: RecordedSet, table: xr.Dataset) -> None:
    """Write features after some columns of the table of subjects."""
    frame = table.to_dataframe().reset_index()
    values = pd.DataFrame(
        np.where(np.isfinite(found.features), found.features, np.nan), columns=found.columns
    )
    joined = pd.concat([frame, values], axis=1)
    joined.to_csv(file, index=False, float_format="%.7g", lineterminator="\n")


def origin(store: Path, found: RecordedSet) -> card.Origin:
    """The origin of a part of the set, from the provenance of its store."""
    kept = Store.open(store).provenance
    return card.Origin(
        name=kept["title"],
        question=kept["summary"],
        seed=kept["seed"],
        version=json.loads(kept["versions"])["virtuallab"],
        sha256=kept["protocol_sha256"],
        overrides=tuple(json.loads(kept.get("protocol_overrides", "[]"))),
        recorded=found.recordings.sizes[SUBJECT],
        diverged=found.diverged,
    )


def make(
    training: Path,
    test: Path,
    out: Path,
    *,
    units: int = 300,
    stimuli: int = 50,
    seed: int = 0,
    workers: int = 2,
    inner_folds: int = 5,
    with_recordings: bool = True,
) -> None:
    """Make a set.

    Parameters
    ----------
    training, test : Path
        Experiments whose subjects are preserved.
    out : Path
        Folder that is made, or holds an earlier set.
    units, stimuli : int
        Recorded in each subject.
    seed : int
        Of the choice of units and stimuli and, with the states of the subjects, of their order.
    workers : int
        Processes.
    inner_folds : int
        By which settings of the baselines' classifiers are chosen.
    with_recordings : bool
        False to write features only.

    Raises
    ------
    UserError
        If the subjects cannot be recorded, the two experiments have one name, different rules or
        different visits, or the folder has other files.
    """
    if out.exists() and any(out.iterdir()) and not (out / "VERSION").is_file():
        raise UserError(f"{out}: is no benchmark set, and is not empty. Choose another folder.")
    titles = [Store.open(store).provenance["title"] for store in (training, test)]
    if titles[0] == titles[1]:
        raise UserError(f"training and test are both called {titles[0]!r}. Give two experiments.")
    options = {"units": units, "stimuli": stimuli, "seed": seed, "workers": workers}
    known = record_set(training, "train", **options)
    hidden = record_set(test, "test", **options)
    rules = [sorted(set(part.table[RULE].values.tolist())) for part in (known, hidden)]
    if rules[0] != rules[1]:
        raise UserError(f"the two experiments have other rules: {rules[0]} and {rules[1]}.")
    if known.columns != hidden.columns:
        raise UserError("the two experiments differ in visits, so their features differ.")
    out.mkdir(parents=True, exist_ok=True)
    (out / checksums.FILE).unlink(missing_ok=True)  # written last: an unfinished set is none
    (out / "VERSION").write_text(f"{card.VERSION}\n", encoding="utf-8")
    public = hidden.table[[KIND]]
    if with_recordings:
        write_recordings(out / RECORDINGS[0], known, known.table)
        write_recordings(out / RECORDINGS[1], hidden, public)
    write_features(out / TRAINING, known, known.table)
    write_features(out / TEST, hidden, public)
    labels = hidden.table[[n for n in (RULE, KIND, PAIR) if n in hidden.table]]
    frame = labels.to_dataframe().reset_index()
    frame.to_csv(out / LABELS, index=False, lineterminator="\n")
    write_baselines(out, inner_folds)
    (out / "protocols").mkdir(exist_ok=True)
    for store in (training, test):
        kept = Store.open(store).provenance
        copy = out / "protocols" / f"{kept['title']}.yaml"
        copy.write_text(kept["protocol_yaml"], encoding="utf-8")
    described = card.Card(
        training=origin(training, known),
        test=origin(test, hidden),
        labels=frame,
        training_rules=known.table[RULE].values.tolist(),
        units=units,
        stimuli=stimuli,
        visits=known.recordings.sizes["visit"],
        columns=len(known.columns),
        seed=seed,
        with_recordings=with_recordings,
    )
    baselines = (out / "baselines.md").read_text("utf-8")
    files = [*(RECORDINGS if with_recordings else ()), TRAINING, TEST, LABELS, "baselines.csv"]
    texts = {
        "README.md": described.readme(baselines),
        "LICENSE": card.licence(),
        "CITATION.cff": card.citation(),
        "datacite.json": card.datacite(files),
    }
    for name, text in texts.items():
        (out / name).write_text(text, encoding="utf-8")
    checksums.write_checksums(out)


def main(words: Sequence[str] | None = None) -> None:
    """Make a set, or compare one with its checksums."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--training", type=Path, default=STORES[0])
    parser.add_argument("--test", type=Path, default=STORES[1])
    parser.add_argument("--out", type=Path, default=SET)
    parser.add_argument("--units", type=int, default=300)
    parser.add_argument("--stimuli", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--inner-folds", type=int, default=5)
    parser.add_argument("--features-only", action="store_true", help="write no recordings")
    parser.add_argument("--verify", action="store_true", help="compare --out with its checksums")
    asked = parser.parse_args(words)
    os.chdir(ROOT)
    if asked.verify:
        if found := checksums.differences(asked.out):
            sys.exit("\n".join(f"{asked.out}/{each}" for each in found))
        print(f"{asked.out}: every file is as it was written.")
        return
    try:
        make(
            asked.training,
            asked.test,
            asked.out,
            units=asked.units,
            stimuli=asked.stimuli,
            seed=asked.seed,
            workers=asked.workers,
            inner_folds=asked.inner_folds,
            with_recordings=not asked.features_only,
        )
    except UserError as error:
        sys.exit(str(error))
    baselines = (asked.out / "baselines.md").read_text("utf-8")
    if asked.out == SET:
        RESULT.write_text(baselines, encoding="utf-8")
    print(baselines)
    print(f"{asked.out}: {stored(asked.out) / 1e6:.1f} MB")
    if stored(asked.out) > LARGEST:
        print(f"The set is above {LARGEST / 1e9:g} GB: record fewer stimuli (--stimuli).")


if __name__ == "__main__":
    main()
