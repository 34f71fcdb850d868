"""Results and recordings as tidy tables: one row an observation, one column a variable."""

from __future__ import annotations

import pandas as pd
import xarray as xr

from virtuallab.vocabulary import CONTROL

_BOUND = "bound"
# What a row is about; the first that a dataset has.
_MAIN = ("accuracy_by_seed", "balanced_accuracy", "probability", "activity", "weights")


def tidy(dataset: xr.Dataset) -> pd.DataFrame:
    """Return a dataset as a table.

    Intervals become columns ``..._low`` and ``..._high``, accuracies of controls a column each.
    Variables with dimensions that the main one does not have (a confusion matrix, a reliability
    diagram) are left out, and so are rows where the main one is missing.

    Parameters
    ----------
    dataset : xr.Dataset
        A comparison of designs, an analysis, an identification, or a recording.

    Returns
    -------
    pd.DataFrame
        One row for each design, observable, classifier and seed; probe, observable and classifier;
        rule; or subject, visit, stimulus and unit.
    """
    main = next((name for name in (*_MAIN, *map(str, dataset.data_vars)) if name in dataset), None)
    if main is None:
        return dataset.to_dataframe().reset_index()
    rows = set(dataset[main].dims)
    found: dict[str, xr.DataArray] = {}
    for name, values in dataset.data_vars.items():
        others = set(values.dims) - rows
        if not others:
            found[str(name)] = values
        elif others == {_BOUND}:
            stem = str(name).removesuffix("interval").rstrip("_") or "accuracy"
            for bound in map(str, values[_BOUND].values):
                found[f"{stem}_{bound}"] = values.sel({_BOUND: bound}, drop=True)
        elif others == {CONTROL} and name == "control_accuracy":
            for control in map(str, values[CONTROL].values):
                found[control] = values.sel({CONTROL: control}, drop=True)
    coords = [name for name, each in dataset.coords.items() if set(each.dims) <= rows]
    table = xr.Dataset(found).reset_coords(drop=True).assign_coords(dataset[coords].coords)
    return table.to_dataframe().reset_index().dropna(subset=[main]).reset_index(drop=True)


def tidy_analyses(tree: xr.DataTree) -> pd.DataFrame:
    """Return the results of all analyses of an experiment as one table.

    Parameters
    ----------
    tree : xr.DataTree

    Returns
    -------
    pd.DataFrame
        One row for each analysis, probe, observable and classifier: ``balanced_accuracy``,
        ``accuracy_low``, ``accuracy_high``, ...; empty if nothing is decoded.
    """
    if "decoding" not in tree:
        return pd.DataFrame()
    tables = {
        name: tidy(node.to_dataset())
        for name, node in tree["decoding"].children.items()
        if node.data_vars
    }
    if not tables:
        return pd.DataFrame()
    return pd.concat(tables, names=["analysis", None]).reset_index("analysis")
