"""Third stage: ask a decoder which rule was at work, from what each probe saw."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import xarray as xr

from virtuallab import seeds
from virtuallab.decoder import Analysis, identify
from virtuallab.decoder.relevance import regrouped
from virtuallab.decoder.verdict import judged_together, with_simultaneous
from virtuallab.errors import UserError
from virtuallab.lab.record import feature_node, stage
from virtuallab.store import Store
from virtuallab.vocabulary import PROBE, SUBJECT, VISIT


def decode(
    store: Store,
    analyses: Mapping[str, Analysis],
    probes: Sequence[str],
    *,
    seed: int,
    workers: int,
    announce: Callable[[str], None],
) -> None:
    """Run each analysis on each of its probes and store the verdicts under ``/decoding``.

    The decoder is handed the features that a probe saw and the label of each subject's rule, never
    the store: what no experimenter can see cannot reach it.

    Parameters
    ----------
    store : Store
    analyses : mapping from name to Analysis
    probes : sequence of str
        Probes that have recorded; an analysis that names none reads them all.
    seed : int
        The protocol's seed.
    workers : int
        Processes to share the work among.
    announce : callable
        Told in words what is being decoded.

    Raises
    ------
    UserError
        If no subject is left to decode.
    """
    for name, analysis in analyses.items():
        verdicts = []
        chosen = [probe for probe in probes if analysis.probes is None or probe in analysis.probes]
        for probe in chosen:
            announce(f"{name}: decoding {probe}")
            found = recorded_features(store, probe)
            own = seeds.integer(seed, "analysis", name, probe)
            verdict = identify(
                found,
                analysis,
                own,
                workers=workers,
                subjects=store.subjects.load(),
                performance=_performance(store),
            )
            verdicts.append(verdict.expand_dims({PROBE: np.array([probe], dtype=object)}))
        store.write_table(f"decoding/{name}", _together(verdicts))


def recorded_features(store: Store, probe: str) -> xr.Dataset:
    """Features of the subjects that a probe has recorded; those that diverged are not among them.

    Raises
    ------
    UserError
        If the probe has recorded nobody.
    """
    indices = sorted(store.committed(stage(probe)))
    if not indices:
        raise UserError(f"probe {probe!r} has recorded no subject: all diverged, or none trained.")
    return store.read(feature_node(probe)).isel({SUBJECT: indices}).load()


def _performance(store: Store) -> xr.DataArray:
    """Return learning curves, which are truth: for controls, and for no decoder."""
    curves = store.read("truth")["validation_accuracy"].load()
    return curves.drop_vars([name for name in curves.coords if name not in (SUBJECT, VISIT)])


def _together(verdicts: Sequence[xr.Dataset]) -> xr.Dataset:
    """One table for all probes; a warning belongs to its probe and stays with it."""
    joined = xr.concat(
        verdicts,
        dim=PROBE,
        join="outer",
        coords="different",
        compat="equals",
        combine_attrs="drop_conflicts",
    )
    for name, variable in joined.data_vars.items():
        if variable.dtype == object:  # where a probe has no such observable there are no words
            joined[name] = variable.where(variable.notnull(), "")
    if "relevance" in joined:
        joined = regrouped(joined)
    warnings = [str(verdict.attrs.get("warnings", "[]")) for verdict in verdicts]
    judged = joined.assign(warnings=(PROBE, np.array(warnings, dtype=object)))
    if "confidence" not in judged.attrs:
        return judged
    return with_simultaneous(judged_together(judged))
