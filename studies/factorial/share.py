"""Files of the factorial to hand round: ``python -m studies.factorial.share``, minutes.

Writes a folder with the features of all subjects in one netCDF file, the store without the states
of the subjects, a description, a licence and checksums. Refuses files that are too large to pass
on.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Hashable
from pathlib import Path
from typing import Any, Final

import numpy as np
import xarray as xr

import virtuallab as vl
from studies.benchmark import card, checksums
from studies.factorial.pages import write_page
from studies.factorial.subjects import PROBE
from virtuallab.decoder.features.columns import columns_of
from virtuallab.decoder.features.samples import PUBLISHED, by_subject
from virtuallab.decoder.schemes.splits import kinds_of
from virtuallab.errors import UserError
from virtuallab.lab.services.resources import stored
from virtuallab.labels import label_text
from virtuallab.store.files.atomic_replace import replace_folder
from virtuallab.store.files.atomic_write import writing
from virtuallab.store.layout.location import records_folder
from virtuallab.vocabulary import ALL, DIVERGED, LAYER, RULE, STATISTIC, STATUS, SUBJECT, VISIT
from virtuallab.vocabulary import describe as described

ROOT: Final = Path(__file__).parents[2]
TITLE: Final = "virtuallab factorial: features of networks that learn by different rules"
VERSION: Final = "1.0.0"
FEATURES: Final = "features.nc"
SUMS: Final = "SHA256SUMS"
LARGEST_FEATURES: Final = 100_000_000  # bytes
LARGEST: Final = 2_000_000_000  # bytes of all files
COLUMN: Final = "column"
_PIECE: Final = 96  # subjects whose features are in memory at a time
_SETTINGS: Final = (
    *(RULE, "architecture", "family", "task", "batch_size"),
    *("model_seed", "data_seed", "pair", "optimizer", "learning_rate"),
)
_COMPRESSION: Final = {"zlib": True, "complevel": 4, "shuffle": True}


def write_shared(store: Path, folder: Path) -> None:
    """Write the files of an experiment to hand round, in the place of older ones.

    Parameters
    ----------
    store : Path
        The experiment, which is only read; its probe :data:`PROBE` recorded all subjects.
    folder : Path
        It gets ``features.nc``, the store with its records, ``README.md``, ``LICENSE`` and
        ``SHA256SUMS``, all or none.

    Raises
    ------
    UserError
        If the folder has other files, the files are too large, or the experiment is not finished.
    StoreError, MachineError
        If there is no such experiment; if it is damaged, or the disk is full or fails.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / SUMS).is_file():
        raise UserError(f"{folder}: has other files than those of a study. Choose another folder.")
    with writing(folder, resumable=False):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with replace_folder(folder) as draft:
            draft.mkdir()
            table = features_table(vl.open(store))
            write_features(table, draft / FEATURES)
            vl.export(store, draft / store.name)
            _check_sizes(draft)
            (draft / "LICENSE").write_text(card.licence(TITLE), encoding="utf-8")
            text = "\n".join(_readme(table, draft, store.name)) + "\n"
            (draft / "README.md").write_text(text, encoding="utf-8")
            checksums.write_checksums(draft, SUMS)


def features_table(tree: xr.DataTree) -> xr.Dataset:
    """Features, statistics and settings of all subjects of an experiment.

    Parameters
    ----------
    tree : xr.DataTree
        The experiment, opened.

    Returns
    -------
    xr.Dataset
        ``features`` (subject, column), the samples of the strict scheme from all observables, and
        ``stat`` (subject, visit, layer, statistic), the published statistics in single precision;
        NaN where something was not measured and in subjects that diverged. Settings, kind and
        status are coordinates over ``subject``.
    """
    node = tree[f"features/{PROBE}"].to_dataset()
    measured = node.isel({STATISTIC: np.isin(label_text(node[STATISTIC]), PUBLISHED)})
    values, stat = [], []
    for start in range(0, node.sizes[SUBJECT], _PIECE):
        piece = {SUBJECT: slice(start, start + _PIECE)}
        values.append(by_subject(node.isel(piece).load(), ALL).values)
        with np.errstate(over="ignore"):  # beyond single precision is infinite
            found = measured["stat"].isel(piece).transpose(SUBJECT, VISIT, LAYER, STATISTIC)
            stat.append(found.to_numpy().astype(np.float32))
    of_column = columns_of(node, ALL)
    columns = {
        "column_statistic": of_column.statistic,
        "column_observable": of_column.observable,
        "column_depth": of_column.depth,
        "column_first_visit": of_column.first_visit,
        "column_last_visit": of_column.last_visit,
    }
    layers = ("layer_depth", "depth_group", "step", "statistic_observable", "statistic_units")
    dataset = xr.Dataset(
        {
            "features": ((SUBJECT, COLUMN), np.concatenate(values)),
            "stat": ((SUBJECT, VISIT, LAYER, STATISTIC), np.concatenate(stat)),
        },
        {
            **{name: node[name].variable for name in (SUBJECT, VISIT, LAYER)},
            **{name: measured[name].variable for name in (STATISTIC, *layers) if name in measured},
            **_settings(tree["subjects"].to_dataset().load()),
            COLUMN: np.array(of_column.names, dtype=object),
            **{name: (COLUMN, _objects(each)) for name, each in columns.items()},
        },
    )
    return _with_attributes(dataset.drop_encoding(), tree.attrs)


def _settings(table: xr.Dataset) -> dict[str, tuple[str, np.ndarray]]:
    """Settings, kind and status of each subject."""
    known = {name: _objects(table[name].to_numpy()) for name in _SETTINGS if name in table}
    status = [STATUS[int(each)] for each in table["status"].to_numpy()]
    return {
        **{name: (SUBJECT, values) for name, values in known.items()},
        "kind": (SUBJECT, _objects(kinds_of(table))),
        "status": (SUBJECT, _objects(np.array(status))),
        "diverged_at": (SUBJECT, table["diverged_at"].to_numpy()),
    }


def _objects(values: np.ndarray) -> np.ndarray:
    """Text as Python strings, which become text of any length in a file; numbers as they are."""
    return values.astype(object) if values.dtype.kind in "UT" else values


_MEANINGS: Final = {
    "features": {
        "units": "1",
        "long_name": "scale-free change, mean over layers of a depth and visits of a stage",
    },
    "stat": {
        "long_name": "published aggregate statistic; statistic_units are its units",
    },
    COLUMN: {"long_name": "feature, STATISTIC|DEPTH|visits FIRST-LAST"},
    "column_statistic": {"long_name": "change of which the column is the mean"},
    "column_observable": {"long_name": "observable of the change"},
    "column_depth": {"long_name": "third of the layers, or difference between two thirds"},
    "column_first_visit": {"units": "1", "long_name": "first visit of the stage"},
    "column_last_visit": {"units": "1", "long_name": "last visit of the stage"},
    "kind": {"long_name": "network and task"},
    "statistic_observable": {"long_name": "observable of the statistic"},
    "statistic_units": {"long_name": "units of the statistic"},
}


def _with_attributes(dataset: xr.Dataset, provenance: dict[Hashable, Any]) -> xr.Dataset:
    for name, variable in dataset.variables.items():
        variable.attrs = dict(_MEANINGS.get(str(name), described(str(name))))
    kept = {str(k): str(v) for k, v in provenance.items()}
    dataset.attrs = {
        "title": TITLE,
        "version": VERSION,
        "license": "CC-BY-4.0",
        "creator": card.CREATOR,
        "summary": kept["summary"],
        "simulated": "true",
        "source": f"simulated by virtuallab {json.loads(kept['versions'])['virtuallab']}",
        "protocol": kept["title"],
        "protocol_sha256": kept["protocol_sha256"],
        "protocol_overrides": kept.get("protocol_overrides", "[]"),
        "seed": kept["seed"],
        "probe": PROBE,
    }
    return dataset


def write_features(table: xr.Dataset, file: Path) -> None:
    """Write features as netCDF, compressed."""
    chunks = {"features": (_PIECE, table.sizes[COLUMN]), "stat": (8, *table["stat"].shape[1:])}
    encoding: dict[Hashable, Any] = {
        name: {**_COMPRESSION, "chunksizes": tuple(map(min, sizes, table[name].shape))}
        for name, sizes in chunks.items()
    }
    table.to_netcdf(file, engine="h5netcdf", encoding=encoding)


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files of a folder."""
    return path.stat().st_size if path.is_file() else stored(path)


def _check_sizes(folder: Path) -> None:
    for what, limit in ((folder / FEATURES, LARGEST_FEATURES), (folder, LARGEST)):
        if (found := size_of(what)) > limit:
            name = what.name if what.is_file() else "all files"
            raise UserError(
                f"{name}: {found / 1e6:.0f} MB, above the {limit / 1e6:.0f} MB that are easy to "
                "pass on. Nothing was written."
            )


def files_table(folder: Path) -> list[str]:
    """Files of a folder with their contents and sizes, as a table in Markdown."""
    [store] = folder.glob("*.zarr")
    rows = {
        FEATURES: "features, published statistics and settings of each subject",
        f"{store.name}/": "subjects, truth, features and provenance; without states",
        f"{records_folder(store).name}/": "records of the store",
    }
    lines = [
        f"| `{name}` | {contents} | {size_of(folder / name) / 1e6:.1f} MB |"
        for name, contents in rows.items()
    ]
    return ["| file or folder | contents | size |", "| --- | --- | --- |", *lines]


def write_files_table(folder: Path, results: Path) -> str:
    """Write the table of the files for the documentation, and return it."""
    return write_page(results, "files", files_table(folder))


def _readme(table: xr.Dataset, folder: Path, store: str) -> list[str]:
    """Lines of the description of the files."""
    facts, sizes = table.attrs, table.sizes
    rules, status = label_text(table[RULE]), label_text(table["status"])
    diverged = status == STATUS[DIVERGED]
    counts = [
        f"| {rule} | {(rules == rule).sum()} | {(diverged & (rules == rule)).sum()} |"
        for rule in sorted(set(rules.tolist()))
    ]
    return [
        f"# {TITLE}",
        "",
        f"Version {VERSION}. {facts['summary']}",
        "",
        f"Protocol `{facts['protocol']}`, seed {facts['seed']}, {facts['source']}. SHA-256 of the "
        f"protocol with all defaults: `{facts['protocol_sha256']}`. The store has the protocol "
        "as text.",
        "",
        "## Subjects",
        "",
        f"{sizes[SUBJECT]} subjects of {len(set(label_text(table['kind']).tolist()))} kinds (a "
        "network and its task). Subjects that diverged are listed with this status; their "
        "features are NaN.",
        "",
        *("| rule | subjects | diverged |", "| --- | --- | --- |"),
        *counts,
        "",
        "## Files",
        "",
        *files_table(folder),
        "",
        f"`{SUMS}` lists the SHA-256 of each file: `sha256sum --quiet -c {SUMS}` compares them.",
        "",
        f"### {FEATURES}",
        "",
        f"* `features` (subject, column): the {sizes[COLUMN]} columns that the strict scheme of "
        "virtuallab reads from all observables. A column is the mean of a scale-free change over "
        "the layers of a third of the depth (or the difference between two thirds) and over the "
        "visits of a stage of learning. `column_observable` is its observable, so that columns of "
        "one observable can be selected.",
        f"* `stat` (subject, visit, layer, statistic): the {sizes[STATISTIC]} statistics of Nayebi "
        "et al. (2020) at each visit, in single precision.",
        f"* Settings of each subject: {', '.join(n for n in _SETTINGS if n in table.coords)}, "
        "kind, status, diverged_at. Subjects of one pair share initial weights: do not divide "
        "them between training and test.",
        "",
        "NaN: not measured, or a layer that the network does not have.",
        "",
        f"### {store}",
        "",
        f'`virtuallab.open("{store}")` or `xarray.open_datatree("{store}", engine="zarr")`. '
        "Keep the records beside it: `virtuallab status` and `virtuallab decode` need them. The "
        "states of the subjects were left out, so that subjects cannot be recorded again. The "
        "same protocol makes them anew.",
        "",
        "## Licence",
        "",
        "CC-BY-4.0, see LICENSE.",
    ]


def main() -> None:
    """Write the files, and the table of their sizes for the documentation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path, default=Path("runs/nayebi2020.zarr"))
    parser.add_argument("--folder", type=Path, default=Path("runs/nayebi2020_shared"))
    parser.add_argument("--results", type=Path, default=ROOT / "docs" / "science" / "results")
    asked = parser.parse_args()
    os.chdir(ROOT)
    try:
        write_shared(asked.store, asked.folder)
    except UserError as error:
        raise SystemExit(str(error)) from None
    print(write_files_table(asked.folder, asked.results))


if __name__ == "__main__":
    main()
