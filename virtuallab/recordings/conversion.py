"""Conversion of the labelled arrays of a file to a recording of a probe's form."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

import jaxtyping as jt
import numpy as np
import xarray as xr

from virtuallab.errors import UserError, suggest
from virtuallab.recordings import validation
from virtuallab.recordings.layers import RecordedLayers, find_layers
from virtuallab.recordings.missing_responses import find_complete
from virtuallab.recordings.optional_variable import optional_numbers, optional_variable
from virtuallab.recordings.repeats import AveragedRepeats, average_repeats, signal_to_noise
from virtuallab.recordings.text import as_text, is_missing
from virtuallab.vocabulary import (
    ACTIVITY,
    LAYER,
    NO_CLASS,
    STIMULUS,
    SUBJECT,
    UNIT,
    VISIT,
    describe,
    describe_flags,
)

_TRIALS = ("trial", "repeat")
_DIMS = (VISIT, STIMULUS, UNIT)
_UNNAMED = "__xarray_dataarray_variable__"  # what xarray calls an array without a name in a file
_NUMBERED: Final = re.compile(r"(\D*)(\d+)")
_READ = {
    *(ACTIVITY, VISIT, STIMULUS, UNIT, LAYER, SUBJECT, "step", "unit_layer", "unit_matched"),
    *("layer_depth", "depth", "depth_group", "stimulus_label", "label"),
}


def select_variables(dataset: xr.Dataset, source: str) -> xr.Dataset:
    """Return a file's dataset with the variables that are used; none is loaded yet.

    Raises
    ------
    UserError
        If it has no responses, or they do not have the axes of a recording.
    """
    if ACTIVITY not in dataset.variables and list(dataset.data_vars) == [_UNNAMED]:
        dataset = dataset.rename({_UNNAMED: ACTIVITY})
    if ACTIVITY not in dataset.variables:
        names = [str(name) for name in dataset.data_vars]
        there = suggest(ACTIVITY, names) if names else "It has no variables at all."
        raise UserError(
            f"{source}: there is no variable 'activity'. {there} Call the responses 'activity'."
        )
    found = {str(dim): None for dim in dataset[ACTIVITY].dims}.keys()
    if not set(_DIMS) <= found <= {*_DIMS, *_TRIALS, SUBJECT} or set(_TRIALS) <= found:
        raise UserError(
            f"{source}: activity has the dims ({', '.join(found)}), expected "
            f"({', '.join(_DIMS)}) in any order, and 'trial' or 'repeat' if stimuli were "
            "repeated. Rename or average what is different."
        )
    return dataset.drop_vars([name for name in dataset.variables if name not in _READ])


def subject_names(dataset: xr.Dataset, source: str) -> list[str | None]:
    """Return the names of the subjects of a file; ``[None]`` if it has one without a name."""
    return [*_names(dataset, SUBJECT, source)] if SUBJECT in dataset.dims else [None]


def select_subject(dataset: xr.Dataset, subject: str | None, source: str) -> xr.Dataset:
    """Return one subject's part of a file, without the subject axis.

    Raises
    ------
    UserError
        If there are several subjects and none is named, or there is none of that name.
    """
    if SUBJECT not in dataset.dims:
        if subject is not None:
            raise UserError(f"{source}: this is the recording of one subject. Name no subject.")
        return dataset
    names = _names(dataset, SUBJECT, source)
    if not names:
        raise UserError(f"{source}: there are no subjects in it.")
    there = f"It has {len(names)}, {names[0]} to {names[-1]}"
    if subject is None and len(names) > 1:
        raise UserError(f"{source}: which subject? {there}. Name one of them.")
    if subject is not None and subject not in names:
        raise UserError(f"{source}: no subject is called {subject!r}. {there}.")
    place = 0 if subject is None else names.index(subject)
    return dataset.isel({SUBJECT: place}, drop=True)


def to_recording(dataset: xr.Dataset, source: str, notes: Sequence[str] = ()) -> xr.Dataset:
    """Return the recording of one subject's arrays, after checking them.

    Parameters
    ----------
    dataset : xr.Dataset
        ``activity`` (visit, stimulus, unit, [trial]) and the variables of :func:`select_variables`.
    source : str
        How messages name the file.
    notes : sequence of str
        Notes on data that were left out before.

    Returns
    -------
    xr.Dataset
        As of :func:`virtuallab.recordings.read_recording`.

    Raises
    ------
    UserError
        If it cannot be a recording, with the change that is needed.
    """
    validation.check_sizes(dataset[ACTIVITY], source)
    validation.check_numbers(dataset[ACTIVITY], source)
    dataset, unnamed = _drop_unnamed_stimuli(dataset, source)
    presented = _presented(dataset[ACTIVITY])
    names = _names(dataset, UNIT, source)
    validation.check_unit_names(names, source)
    validation.check_finite(presented, names, source)
    step = optional_numbers(dataset, "step", (VISIT,), source)
    validation.check_ascending("step", step, source)
    visit = optional_variable(dataset, VISIT, (VISIT,), source)
    validation.check_ascending(VISIT, visit, source, _scale(dataset))
    if step is not None and step[0] < 0:
        raise UserError(f"{source}: step counts from 0, before learning; found {step[0]:g}.")

    stimuli = _names(dataset, STIMULUS, source)
    number = {name: index for index, name in enumerate(dict.fromkeys(stimuli))}
    same = np.array([number[name] for name in stimuli])
    mean = average_repeats(presented, same)
    complete = find_complete(mean.responses, source)
    mean = mean.part(complete.stimuli, complete.units)
    dataset = dataset.isel({UNIT: complete.units})
    validation.check_copies(mean.responses, [names[place] for place in complete.units], source)

    layers = find_layers(dataset, source)
    order = layers.order
    responses = np.ascontiguousarray(mean.responses[..., order], dtype=np.float32)
    units = dataset[ACTIVITY].attrs.get("units")
    attributes = describe(ACTIVITY) | ({"units": str(units)} if units else {})
    variables = {ACTIVITY: xr.Variable(_DIMS, responses, attributes)}
    if not complete.observed.all():
        kept = complete.observed[:, order]
        variables["observed"] = xr.Variable((STIMULUS, UNIT), kept, describe("observed"))
    label, unlabelled = _label(dataset, same, complete.stimuli, source)
    if label is not None:
        variables["stimulus_label"] = label
    matched = optional_numbers(dataset, "unit_matched", (VISIT, UNIT), source)
    if matched is not None:
        followed = matched[:, order].astype(np.int8)
        variables["unit_matched"] = xr.Variable((VISIT, UNIT), followed, describe("unit_matched"))
    coords = {VISIT: xr.Variable((VISIT,), np.arange(len(responses)), describe(VISIT))}
    if step is not None:
        whole = step.astype(np.int64) if (step == np.round(step)).all() else step
        coords["step"] = xr.Variable((VISIT,), whole, describe("step"))
    coords |= layers.coordinates()
    every = [*notes, *_visit_order_note(dataset), *unnamed, *unlabelled, *complete.notes]
    found = _repetition(mean, layers) | complete.counts | ({"notes": every} if every else {})
    return xr.Dataset(variables, coords, found)


def _drop_unnamed_stimuli(dataset: xr.Dataset, source: str) -> tuple[xr.Dataset, list[str]]:
    """Return a dataset without presentations of unnamed stimuli, and a note on these."""
    unnamed = is_missing(_names(dataset, STIMULUS, source))
    if not unnamed.any():
        return dataset, []
    if unnamed.all():
        raise UserError(f"{source}: no stimulus has a name. Name them, or leave the names out.")
    note = (
        f"{unnamed.sum()} of {len(unnamed)} entries along the dim stimulus have no name and were "
        "left out."
    )
    return dataset.isel({STIMULUS: ~unnamed}), [note]


def _scale(dataset: xr.Dataset) -> str:
    """Return the unit of visits, in brackets, if the file names one."""
    units = dataset[VISIT].attrs.get("units") if VISIT in dataset.variables else None
    return f" ({units})" if units else ""


def _visit_order_note(dataset: xr.Dataset) -> Iterator[str]:
    """Yield a note if the numbers in the names of visits do not ascend."""
    names = as_text(dataset[VISIT].to_numpy()) if VISIT in dataset.variables else []
    parts = [_NUMBERED.fullmatch(name) for name in names]
    numbers = [int(part[2]) for part in parts if part]
    alike = len(numbers) == len(names) and len({part[1] for part in parts if part}) == 1
    if alike and any(later <= earlier for earlier, later in pairwise(numbers)):
        yield (
            f"visits were taken in the order of the file, {', '.join(names)}: check that this is "
            "the order in which they were made."
        )


def _presented(activity: xr.DataArray) -> jt.Float[np.ndarray, "visit stimulus trial unit"]:
    trial = next((name for name in _TRIALS if name in activity.dims), None)
    if trial is None:
        trial = _TRIALS[0]
        activity = activity.expand_dims(trial)
    ordered = activity.transpose(VISIT, STIMULUS, trial, UNIT)
    return ordered.to_numpy().astype(np.float64)


def _names(dataset: xr.Dataset, dim: str, source: str) -> list[str]:
    """Return names along an axis; indices, counted from 0, if the file has none."""
    found = optional_variable(dataset, dim, (dim,), source)
    return as_text(range(dataset.sizes[dim]) if found is None else found)


def _label(
    dataset: xr.Dataset,
    same: jt.Int[np.ndarray, " stimulus"],
    kept: jt.Int[np.ndarray, " kept"],
    source: str,
) -> tuple[xr.Variable | None, list[str]]:
    """Return the class of each stimulus as a number, -1 where it is missing, and notes.

    The attributes give the meaning of the numbers, unless the classes are numbers themselves.
    """
    name = next((name for name in ("stimulus_label", "label") if name in dataset.variables), None)
    values = optional_variable(dataset, name, (STIMULUS,), source) if name else None
    if values is None:
        return None, []
    text = np.array(as_text(values), dtype=object)
    there = ~is_missing(text.tolist())
    place = np.full(len(kept), -1, dtype=np.int64)  # one labelled presentation of each stimulus
    for index, stimulus in enumerate(kept):
        mine = np.flatnonzero((same == stimulus) & there)
        if len(set(text[mine].tolist())) > 1:
            raise UserError(
                f"{source}: one stimulus has several classes in {name}. Give each stimulus one."
            )
        place[index] = mine[0] if len(mine) else -1
    known = place >= 0
    if not known.any():
        return None, [f"no stimulus has a class in {name}: it was left out."]
    attributes: dict[str, object] = {**describe("stimulus_label")}
    shown = values[place[known]]
    numbers = np.full(len(known), NO_CLASS, dtype=np.int64)
    if shown.dtype.kind in "fiub" and (shown == np.round(shown)).all() and shown.min() >= 0:
        numbers[known] = shown.astype(np.int64)
    else:
        meanings, numbers[known] = np.unique(text[place[known]].astype(str), return_inverse=True)
        flags = {number: word.replace(" ", "_") for number, word in enumerate(meanings.tolist())}
        attributes |= describe_flags(flags if known.all() else {NO_CLASS: "missing", **flags})
    notes = (
        []
        if known.all()
        else [
            f"{(~known).sum()} of {len(known)} stimuli have no class in {name}: analyses of "
            "classes leave them out."
        ]
    )
    return xr.Variable((STIMULUS,), numbers, attributes), notes


def _repetition(mean: AveragedRepeats, layers: RecordedLayers) -> dict[str, object]:
    """Return the attributes on repeats and, if they allow it, on the signal-to-noise ratio."""
    attributes: dict[str, object] = {"repeats": mean.repeats}
    mine = [layers.of_unit == index for index in range(len(layers.names))]
    stimuli = np.arange(mean.responses.shape[1])
    each = [signal_to_noise(mean.part(stimuli, np.flatnonzero(m))) for m in mine if m.any()]
    known = [ratio for ratio in each if np.isfinite(ratio)]
    if known:
        # The noise of a probe is equally strong in all layers, so layers have equal weights.
        attributes["snr"] = float(np.sqrt(np.mean(np.square(known))))
        attributes["snr_by_layer"] = each
    return attributes
