"""From the labelled arrays of a file to a recording as a probe makes it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

import jaxtyping as jt
import numpy as np
import xarray as xr

from virtuallab.errors import UserError, suggest
from virtuallab.recordings import validation as refusals
from virtuallab.recordings.layers import Layers, layers_of
from virtuallab.recordings.missing_responses import observed
from virtuallab.recordings.optional_variable import along, numbers_along
from virtuallab.recordings.repeats import Averaged, averaged, signal_to_noise
from virtuallab.recordings.text import as_words, missing
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
_EXPECTED = (VISIT, STIMULUS, UNIT)
_UNNAMED = "__xarray_dataarray_variable__"  # what xarray calls an array without a name in a file
_NUMBERED: Final = re.compile(r"(\D*)(\d+)")
_READ = {
    *(ACTIVITY, VISIT, STIMULUS, UNIT, LAYER, SUBJECT, "step", "unit_layer", "unit_matched"),
    *("layer_depth", "depth", "depth_group", "stimulus_label", "label"),
}


def wanted(dataset: xr.Dataset, source: str) -> xr.Dataset:
    """Keep what is read of a file; nothing of it is loaded yet.

    Raises
    ------
    UserError
        If it has no responses, or they have other axes than those of a recording.
    """
    if ACTIVITY not in dataset.variables and list(dataset.data_vars) == [_UNNAMED]:
        dataset = dataset.rename({_UNNAMED: ACTIVITY})
    if ACTIVITY not in dataset.variables:
        names = [str(name) for name in dataset.data_vars]
        there = suggest(ACTIVITY, names) if names else "It has no variables at all."
        raise UserError(
            f"{source}: there is no variable 'activity'. {there} Call the responses 'activity'."
        )
    found = [str(dim) for dim in dataset[ACTIVITY].dims]
    missing = [dim for dim in _EXPECTED if dim not in found]
    strange = [dim for dim in found if dim not in (*_EXPECTED, *_TRIALS, SUBJECT)]
    if missing or strange or set(_TRIALS) <= set(found):
        raise UserError(
            f"{source}: activity has the dims ({', '.join(found)}), expected "
            f"({', '.join(_EXPECTED)}) in any order, and 'trial' or 'repeat' if stimuli were "
            "repeated. Rename or average what is different."
        )
    return dataset.drop_vars([name for name in dataset.variables if name not in _READ])


def of_subject(dataset: xr.Dataset, subject: str | None, source: str) -> xr.Dataset:
    """Pick one subject's recording.

    Raises
    ------
    UserError
        If it is not said which of many, or there is none of that name.
    """
    if SUBJECT not in dataset.dims:
        if subject is not None:
            raise UserError(f"{source}: this is the recording of one subject. Name no subject.")
        return dataset
    count = dataset.sizes[SUBJECT]
    said = along(dataset, SUBJECT, (SUBJECT,), source)
    names = as_words(said) if said is not None else [str(place) for place in range(count)]
    if not names:
        raise UserError(f"{source}: there are no subjects in it.")
    there = f"It has {count}, {names[0]} to {names[-1]}"
    if subject is None and count > 1:
        raise UserError(f"{source}: which subject? {there}. Name one of them.")
    if subject is not None and subject not in names:
        raise UserError(f"{source}: no subject is called {subject!r}. {there}.")
    place = 0 if subject is None else names.index(subject)
    return dataset.isel({SUBJECT: place}, drop=True)


def labelled(dataset: xr.Dataset, source: str, notes: Sequence[str] = ()) -> xr.Dataset:
    """Make a recording of one subject's arrays, checked; see :func:`read_recording`.

    Parameters
    ----------
    dataset : xr.Dataset
    source : str
        What messages call it.
    notes : sequence of str
        What was left out of it before, in words.

    Raises
    ------
    UserError
    """
    refusals.of_sizes(dataset[ACTIVITY], source)
    refusals.of_numbers(dataset[ACTIVITY], source)
    dataset, unnamed = _of_named_stimuli(dataset, source)
    presented = _presented(dataset[ACTIVITY])
    names = _names(dataset, UNIT, source)
    refusals.of_repeated_units(names, source)
    refusals.of_infinities(presented, names, source)
    step = numbers_along(dataset, "step", (VISIT,), source)
    refusals.of_order("step", step, source)
    refusals.of_order(VISIT, along(dataset, VISIT, (VISIT,), source), source, _scale(dataset))
    if step is not None and step[0] < 0:
        raise UserError(f"{source}: step counts from 0, before learning; found {step[0]:g}.")

    same = _same(_names(dataset, STIMULUS, source))
    mean = averaged(presented, same)
    part = observed(mean.responses, source)
    mean, seen = mean.part(part.stimuli, part.units), part.observed
    dataset = dataset.isel({UNIT: part.units})
    refusals.of_copies(mean.responses, [names[place] for place in part.units], source)

    layers = layers_of(dataset, source)
    order = layers.order
    responses = np.ascontiguousarray(mean.responses[..., order], dtype=np.float32)
    count = len(responses)
    units = describe(ACTIVITY) | _unit_of(dataset)
    variables = {ACTIVITY: xr.Variable(_EXPECTED, responses, units)}
    if not seen.all():
        kept = seen[:, order]
        variables["observed"] = xr.Variable((STIMULUS, UNIT), kept, describe("observed"))
    label, unlabelled = _label(dataset, same, part.stimuli, source)
    if label is not None:
        variables["stimulus_label"] = label
    matched = numbers_along(dataset, "unit_matched", (VISIT, UNIT), source)
    if matched is not None:
        followed = matched[:, order].astype(np.int8)
        variables["unit_matched"] = xr.Variable((VISIT, UNIT), followed, describe("unit_matched"))
    coords = {VISIT: xr.Variable((VISIT,), np.arange(count), describe(VISIT))}
    if step is not None:
        whole = step.astype(np.int64) if (step == np.round(step)).all() else step
        coords["step"] = xr.Variable((VISIT,), whole, describe("step"))
    coords |= layers.coordinates()
    said = [*notes, *_order_of_names(dataset), *unnamed, *unlabelled, *part.notes]
    attributes = _repetition(mean, layers) | part.counts | ({"notes": said} if said else {})
    return xr.Dataset(variables, coords, attributes)


def _of_named_stimuli(dataset: xr.Dataset, source: str) -> tuple[xr.Dataset, list[str]]:
    """Leave out presentations that do not say of which stimulus they are."""
    unnamed = missing(_names(dataset, STIMULUS, source))
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
    """Return what visits are counted in, if the file says it."""
    units = dataset[VISIT].attrs.get("units") if VISIT in dataset.variables else None
    return f" ({units})" if units else ""


def _unit_of(dataset: xr.Dataset) -> dict[str, str]:
    units = dataset[ACTIVITY].attrs.get("units")
    return {"units": str(units)} if units else {}


def _order_of_names(dataset: xr.Dataset) -> Iterator[str]:
    """Yield a note where the numbers in the names of visits do not ascend."""
    names = as_words(dataset[VISIT].to_numpy()) if VISIT in dataset.variables else []
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
    """Names along an axis; places, counted from 0, if the file has none."""
    said = along(dataset, dim, (dim,), source)
    return as_words(range(dataset.sizes[dim]) if said is None else said)


def _same(stimuli: list[str]) -> jt.Int[np.ndarray, " stimulus"]:
    place = {name: index for index, name in enumerate(dict.fromkeys(stimuli))}
    return np.array([place[name] for name in stimuli])


def _label(
    dataset: xr.Dataset,
    same: jt.Int[np.ndarray, " stimulus"],
    kept: jt.Int[np.ndarray, " kept"],
    source: str,
) -> tuple[xr.Variable | None, list[str]]:
    """Return the class of each stimulus as a number, -1 where it is missing, and what to note.

    What numbers stand for is said in the attributes, unless the classes are numbers themselves.
    """
    names = [name for name in ("stimulus_label", "label") if name in dataset.variables]
    if not names:
        return None, []
    values = along(dataset, names[0], (STIMULUS,), source)
    assert values is not None
    words = np.array(as_words(values), dtype=object)
    there = ~missing(words.tolist())
    of_stimulus: list[str | None] = []
    place = np.zeros(len(kept), dtype=np.int64)
    for stimulus in kept:
        mine = np.flatnonzero((same == stimulus) & there)
        if len(set(words[mine].tolist())) > 1:
            raise UserError(
                f"{source}: one stimulus has several classes in {names[0]}. Give each stimulus one."
            )
        of_stimulus.append(str(words[mine[0]]) if len(mine) else None)
        place[len(of_stimulus) - 1] = mine[0] if len(mine) else -1
    known = np.array([word is not None for word in of_stimulus])
    if not known.any():
        return None, [f"no stimulus has a class in {names[0]}: it was left out."]
    attributes: dict[str, object] = {**describe("stimulus_label")}
    shown = values[place[known]]
    numbers = np.full(len(known), NO_CLASS, dtype=np.int64)
    if shown.dtype.kind in "fiub" and (shown == np.round(shown)).all() and shown.min() >= 0:
        numbers[known] = shown.astype(np.int64)
    else:
        meanings, numbers[known] = np.unique(words[place[known]].astype(str), return_inverse=True)
        flags = {number: word.replace(" ", "_") for number, word in enumerate(meanings.tolist())}
        attributes |= describe_flags(flags if known.all() else {NO_CLASS: "missing", **flags})
    notes = []
    if not known.all():
        notes.append(
            f"{(~known).sum()} of {len(known)} stimuli have no class in {names[0]}: what is said "
            "of classes leaves them out."
        )
    return xr.Variable((STIMULUS,), numbers, attributes), notes


def _repetition(mean: Averaged, layers: Layers) -> dict[str, object]:
    """How often stimuli were shown, and how much of what is seen is signal."""
    attributes: dict[str, object] = {"repeats": mean.repeats}
    mine = [layers.of_unit == index for index in range(len(layers.names))]
    stimuli = np.arange(mean.responses.shape[1])
    each = [signal_to_noise(mean.part(stimuli, np.flatnonzero(m))) for m in mine if m.any()]
    known = [ratio for ratio in each if np.isfinite(ratio)]
    if known:
        # A probe's noise is the same burden on every layer, so every layer counts alike.
        attributes["snr"] = float(np.sqrt(np.mean(np.square(known))))
        attributes["snr_by_layer"] = each
    return attributes
