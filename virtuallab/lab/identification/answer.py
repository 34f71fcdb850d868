"""The answer of a decoder to a recording, with what is known of the decoder and the recording."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from virtuallab.decoder.features.samples import Samples
from virtuallab.decoder.levels import GROUP, coarse_probability, coarse_sets
from virtuallab.decoder.uncertainty.conformal import share_at_least
from virtuallab.decoder.uncertainty.novelty import Values
from virtuallab.lab.identification.decoder_training import Decoder
from virtuallab.lab.identification.differences import differences, reference_differences
from virtuallab.lab.identification.null_recordings import total_change
from virtuallab.store.decoders.metadata import DecoderMetadata, LevelAccuracy
from virtuallab.vocabulary import SUBJECT, describe


def answered(
    decoder: Decoder,
    sample: Samples,
    references: Values | None,
    recording: xr.Dataset,
    known: Sequence[str],
) -> xr.Dataset:
    """Answer of a decoder, as :func:`virtuallab.lab.identification.identify.identify` returns it.

    Parameters
    ----------
    decoder : (FittedDecoder, DecoderMetadata)
    sample : Samples
        Of the recording.
    references : array, (reference, column), or None
        Samples of the references of a decoder with centres.
    recording : xr.Dataset
    known : sequence of str
        Notes beside those of the recording.
    """
    trained, facts = decoder
    values = sample.values.copy()
    values[:, list(facts.absent)] = np.nan
    prediction = trained.predict(values, references)
    found = prediction.dataset.isel({SUBJECT: 0}).drop_vars("novelty")
    found = found.rename(novelty_p_value="familiar", distance_p_value="typical")
    found["in_set"] = prediction.sets(facts.nominal_coverage)[0]
    found["changed"] = _changed(sample, facts)
    for each in facts.levels:
        found = found.merge(_at_level(found, each))
    for name, variable in found.variables.items():
        variable.attrs = {**describe(str(name)), **variable.attrs}
    return found.assign_attrs(
        title=facts.title,
        question=facts.question,
        classifier=facts.classifier,
        observable=facts.observable,
        others=list(facts.others),
        coverage=facts.nominal_coverage,
        measured_coverage=facts.coverage,
        kinds=facts.kinds,
        kind_names=list(facts.kind_names),
        references=0 if references is None else len(references),
        held_out_kinds={
            each.references: [each.accuracy, *each.interval] for each in facts.held_out_kinds
        },
        fewest=facts.fewest,
        excluded=dict(facts.excluded),
        accuracy=facts.accuracy,
        interval=list(facts.interval),
        confidence=facts.confidence,
        n_subjects=facts.n_subjects,
        architectures=list(facts.architectures),
        tasks=list(facts.tasks),
        differences=[
            *differences(recording, values[0], facts),
            *reference_differences(values[0], references),
        ],
        notes=[*recording.attrs.get("notes", ()), *known],
    )


def _at_level(found: xr.Dataset, accuracy: LevelAccuracy) -> xr.Dataset:
    """Probability of each group of a level, and whether it is in the prediction set."""
    level = accuracy.level
    name = level.name.replace(" ", "_")
    groups = {
        f"{name}_probability": coarse_probability(found["probability"], level),
        f"{name}_in_set": coarse_sets(found["in_set"], level),
    }
    known = {"level": level.name, "question": level.question, "interval": list(accuracy.interval)}
    joined = xr.Dataset({n: each.rename({GROUP: name}) for n, each in groups.items()})
    joined[f"{name}_probability"].attrs = known
    return joined


def _changed(sample: Samples, facts: DecoderMetadata) -> float:
    """Share of recordings without change that change at least as much; NaN if not measured."""
    [change] = total_change(sample.values, sample.visits)
    if not facts.still or not np.isfinite(change):
        return float("nan")
    return float(share_at_least(np.array(facts.still), np.array([change]))[0])
