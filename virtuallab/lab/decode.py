"""Third stage: ask a decoder which rule was at work, from what each probe saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from rich.console import Console

from virtuallab import seeds
from virtuallab.decoder import Analysis
from virtuallab.decoder.identify import identify, n_steps
from virtuallab.decoder.relevance import regrouped
from virtuallab.decoder.verdict import judged_together
from virtuallab.errors import UserError
from virtuallab.lab.progress import counting, tallying
from virtuallab.lab.stages import feature_node, stage
from virtuallab.store import Store
from virtuallab.vocabulary import PROBE, SUBJECT, VISIT


def decode(
    store: Store,
    analyses: Mapping[str, Analysis],
    probes: Sequence[str],
    *,
    seed: int,
    workers: int,
    console: Console,
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
    console : rich.console.Console
        Where to show progress.

    Raises
    ------
    UserError
        If no subject is left to decode.
    MachineError
        If what is read is damaged; said before anything is decoded.
    """
    chosen = {
        name: [probe for probe in probes if analysis.probes is None or probe in analysis.probes]
        for name, analysis in analyses.items()
    }
    features = {
        probe: recorded_features(store, probe)
        for probe in dict.fromkeys(probe for some in chosen.values() for probe in some)
    }
    performance = _performance(store)
    for name, analysis in analyses.items():
        verdicts = []
        for probe in chosen[name]:
            own = seeds.integer(seed, "analysis", name, probe)
            stage = f"{name}: decoding {probe}, steps done"
            with (
                counting(console, stage, n_steps(features[probe], analysis)) as advance,
                tallying(advance) as step,
            ):
                verdict = identify(
                    features[probe],
                    analysis,
                    own,
                    workers=workers,
                    subjects=store.subjects.load(),
                    performance=performance,
                    step=step,
                )
            verdicts.append(verdict.expand_dims({PROBE: np.array([probe], dtype=object)}))
        store.write_table(f"decoding/{name}", _together(verdicts))


def recorded_features(store: Store, probe: str) -> xr.Dataset:
    """Features of the subjects that a probe has recorded; those that diverged are not among them.

    Raises
    ------
    UserError
        If the probe has recorded nobody.
    MachineError
        If values, coordinates or commit records are damaged; each is named.
    """
    indices = sorted(store.committed(stage(probe)))
    if not indices:
        raise UserError(f"probe {probe!r} has recorded no subject: all diverged, or none trained.")
    return store.read_values(feature_node(probe), indices)


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
    return judged_together(judged) if "confidence" in judged.attrs else judged
