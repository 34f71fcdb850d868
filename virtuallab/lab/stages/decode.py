"""Third stage: decode the rule of each subject from the recordings of each probe."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

import numpy as np
import xarray as xr
from rich.console import Console

from virtuallab import seeds
from virtuallab.console import say
from virtuallab.decoder import Analysis
from virtuallab.decoder.diagnostics.permutation_importance import in_order
from virtuallab.decoder.evaluation import evaluate, n_steps
from virtuallab.decoder.levels import Level
from virtuallab.decoder.tables import with_corrected_controls, with_simultaneous
from virtuallab.errors import NotDecoded, UserError
from virtuallab.lab.services.progress import counting, tallying
from virtuallab.lab.stages.coverage import Coverage, DecodableProbes
from virtuallab.lab.stages.nodes import feature_node, noise_node, stage
from virtuallab.store import Store
from virtuallab.vocabulary import PAIR, PERFORMANCE, PROBE, RULE, SUBJECT, VISIT


def decode_probes(
    store: Store,
    analyses: Mapping[str, Analysis],
    decodable_probes: DecodableProbes,
    *,
    seed: int,
    workers: int,
    console: Console,
    levels: Sequence[Level] = (),
) -> None:
    """Run each analysis on each of its probes, and store the results under ``/decoding``.

    An analysis that is not possible for a probe's recordings (too many subjects have diverged,
    nothing was measured) is left out; the attribute ``not_decoded`` has the reason by probe.

    The decoder receives the features of a probe and the label of each subject's rule, never the
    store, so that it cannot use what an experiment could not measure.

    Parameters
    ----------
    store : Store
    analyses : mapping from name to Analysis
    decodable_probes : DecodableProbes
        Probes to decode; an analysis that names none reads them all. If a probe has not recorded
        every subject, the warnings and the attribute ``partial`` of its results give the numbers.
    seed : int
        The protocol's seed.
    workers : int
        Number of processes.
    console : rich.console.Console
        For progress.
    levels : sequence of Level
        Levels of the rules, which are stored with the results for reports.

    Raises
    ------
    UserError
        If no subject is left to decode, or no probe.
    MachineError
        If recordings are damaged; raised before anything is decoded.
    """
    partial = {found.probe: found for found in decodable_probes.partial}
    chosen = {
        name: [
            p for p in decodable_probes.probes if analysis.probes is None or p in analysis.probes
        ]
        for name, analysis in analyses.items()
    }
    features = {
        probe: recorded_features(store, probe)
        for probe in dict.fromkeys(probe for some in chosen.values() for probe in some)
    }
    performance = _performance(store)
    for name, analysis in analyses.items():
        if not chosen[name]:
            raise UserError(f"analysis {name!r}: no probe that it reads has recorded a subject.")
        for probe in chosen[name]:
            if probe in partial:
                _refuse_too_few(partial[probe], features[probe], analysis)
    for name, analysis in analyses.items():
        verdicts: list[xr.Dataset] = []
        reasons: dict[str, str] = {}
        for probe in chosen[name]:
            own = seeds.integer(seed, "analysis", name, probe)
            stage = f"{name}: decoding {probe}, steps done"
            try:
                with (
                    counting(console, stage, n_steps(features[probe], analysis)) as advance,
                    tallying(advance) as step,
                ):
                    verdict = evaluate(
                        features[probe],
                        analysis,
                        own,
                        workers=workers,
                        subjects=store.subjects.load(),
                        performance=performance,
                        noise=recorded_noise(store, probe),
                        step=step,
                    )
            except NotDecoded as error:
                say(console, f"{name}: {probe} is not decoded: {error}.")
                reasons[probe] = str(error)
                continue
            if probe in partial:
                _say(verdict, partial[probe])
            verdicts.append(verdict.expand_dims({PROBE: np.array([probe], dtype=object)}))
        joined = _together(verdicts) if verdicts else xr.Dataset()
        joined.attrs |= {"scheme": analysis.scheme, "confidence": analysis.confidence}
        if levels:
            joined.attrs["levels"] = json.dumps([asdict(level) for level in levels])
        if rests := [str(partial[p]) for p in chosen[name] if p in partial]:
            joined.attrs["partial"] = "; ".join(rests)
        if reasons:
            joined.attrs["not_decoded"] = json.dumps(reasons)
        store.write_table(f"decoding/{name}", joined)


def _refuse_too_few(coverage: Coverage, found: xr.Dataset, analysis: Analysis) -> None:
    """Raise a UserError if the subjects that were recorded are too few for an analysis."""
    columns = {
        str(k): v.to_numpy().tolist() for k, v in found.coords.items() if v.dims == (SUBJECT,)
    }
    asked = replace(analysis.without_held_out, probes=None)
    for _, message in asked.check(columns[RULE], (), (), columns=columns, pairs=columns.get(PAIR)):
        raise UserError(f"{coverage}, which is too few: {message}")


def _say(verdict: xr.Dataset, found: Coverage) -> None:
    """Add to the warnings of a result, as the first, that it rests on a part of the subjects."""
    warning = f"rests on {found.recorded} of {found.wanted} subjects; the others are not recorded"
    warnings = json.loads(str(verdict.attrs.get("warnings", "[]")))
    verdict.attrs["warnings"] = json.dumps([warning, *warnings])


def recorded_features(store: Store, probe: str) -> xr.Dataset:
    """Return the features of the subjects that a probe has recorded, without those that diverged.

    Raises
    ------
    UserError
        If the probe has recorded no subject.
    MachineError
        If values, coordinates or commit records are damaged; each is named.
    """
    indices = sorted(store.committed_subjects(stage(probe)))
    if not indices:
        raise UserError(f"probe {probe!r} has recorded no subject: every one diverged.")
    return store.read_values(feature_node(probe), indices)


def recorded_noise(store: Store, probe: str) -> xr.Dataset | None:
    """Return the features of a probe's noise, for the subjects that it has recorded.

    None if it has no noise. Raises as :func:`recorded_features`.
    """
    if noise_node(probe) not in store.nodes():
        return None
    return store.read_values(noise_node(probe), sorted(store.committed_subjects(stage(probe))))


def _performance(store: Store) -> xr.DataArray | None:
    """Return learning curves, for controls and never for decoders.

    None if they are not collected yet, because some subjects are not trained.
    """
    if "truth" not in store.nodes():
        return None
    curves = store.read("truth")[PERFORMANCE].load()
    return curves.drop_vars([name for name in curves.coords if name not in (SUBJECT, VISIT)])


def _together(verdicts: Sequence[xr.Dataset]) -> xr.Dataset:
    """Return one table for all probes; each keeps its own warnings."""
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
        joined = in_order(joined)
    warnings = [str(verdict.attrs.get("warnings", "[]")) for verdict in verdicts]
    judged = joined.assign(warnings=(PROBE, np.array(warnings, dtype=object)))
    if "confidence" not in judged.attrs:
        return judged
    return with_simultaneous(with_corrected_controls(judged))
