"""Third stage: ask a decoder which rule was at work, from what each probe saw."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import xarray as xr

from virtuallab import seeds
from virtuallab.decoder import Analysis, identify
from virtuallab.decoder.relevance import regrouped
from virtuallab.decoder.verdict import judged_together
from virtuallab.errors import NotAsked, UserError
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

    A question that cannot be put to a probe's recordings (too many subjects have diverged, nothing
    was measured) is left out, and the table says why: attribute ``not_asked``, reason by probe.

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
        verdicts: list[xr.Dataset] = []
        wanted = probes if analysis.probes is None else analysis.probes
        reasons = {probe: _NO_PROBE for probe in wanted if probe not in probes}
        if not wanted:
            reasons = {"": _NO_PROBE}
        for probe in (each for each in probes if each in wanted):
            announce(f"{name}: decoding {probe}")
            found = recorded_features(store, probe)
            own = seeds.integer(seed, "analysis", name, probe)
            try:
                verdict = identify(
                    found,
                    analysis,
                    own,
                    workers=workers,
                    subjects=store.subjects.load(),
                    performance=_performance(store),
                )
            except NotAsked as error:
                announce(f"{name}: {probe} is not asked: {error}.")
                reasons[probe] = str(error)
                continue
            verdicts.append(verdict.expand_dims({PROBE: np.array([probe], dtype=object)}))
        table = _together(verdicts) if verdicts else xr.Dataset()
        table.attrs |= {"scheme": analysis.scheme, "confidence": analysis.confidence}
        if reasons:
            table.attrs["not_asked"] = json.dumps(reasons)
        store.write_table(f"decoding/{name}", table)


_NO_PROBE = "no probe of this name has recorded"


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


def _performance(store: Store) -> xr.DataArray | None:
    """Return learning curves, which are truth: for controls, and for no decoder.

    None where they are not gathered yet, because not every subject is trained.
    """
    if "truth" not in store.nodes():
        return None
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
    return judged_together(judged) if "confidence" in judged.attrs else judged
