"""Texts of the benchmark set: data card, licence, citation and DataCite metadata."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import Final

import pandas as pd

from virtuallab.text import count_noun

VERSION: Final = "1.0.0"
YEAR: Final = 2026
TITLE: Final = "virtuallab benchmark set: recordings of networks that learn by different rules"
CREATOR: Final = "The virtuallab developers"
_LICENCE_URL: Final = "https://creativecommons.org/licenses/by/4.0/legalcode"
_SUMMARY: Final = (
    "Simulated recordings of neural networks at visits during learning, for the question whether "
    "recorded activity identifies the learning rule. The rules of the training subjects are given; "
    "those of the test subjects are in a file of their own."
)
_NAYEBI: Final = "arXiv:2010.11765"  # Nayebi et al. 2020


@dataclass(frozen=True)
class Origin:
    """The experiment from which a part of the set was made.

    Parameters
    ----------
    name, question, seed, version, sha256 : str
        Name, question and seed of the protocol, version of virtuallab, and digest of the protocol
        with every default and override.
    overrides : tuple of str
        Settings of the protocol that were overridden.
    recorded, diverged : int
        Subjects in the set, and those that were left out.
    """

    name: str
    question: str
    seed: str
    version: str
    sha256: str
    overrides: tuple[str, ...]
    recorded: int
    diverged: int


@dataclass(frozen=True)
class Card:
    """What the texts of a set state.

    Parameters
    ----------
    training, test : Origin
    labels : pd.DataFrame
        Of the test subjects.
    training_rules : list of str
        Rule of each training subject.
    units, stimuli, visits, columns, seed : int
    with_recordings : bool
        False if the set has features only.
    """

    training: Origin
    test: Origin
    labels: pd.DataFrame
    training_rules: list[str]
    units: int
    stimuli: int
    visits: int
    columns: int
    seed: int
    with_recordings: bool

    def readme(self, baselines: str) -> str:
        """The data card, in Markdown; ``baselines`` is the table of their scores."""
        rules = sorted({*self.training_rules})
        return "\n".join(
            [
                f"# {TITLE}",
                "",
                f"Version {VERSION}. {_SUMMARY}",
                "",
                "## Task",
                "",
                f"State for each test subject the probability of each of {len(rules)} rules: "
                f"{', '.join(rules)}. Chance is {1 / len(rules):.3f}.",
                "",
                "## Subjects",
                "",
                *self._subjects(rules),
                "",
                "## Files",
                "",
                *self._files(),
                "",
                "## How the set was made",
                "",
                *self._making(),
                "",
                "## How to score",
                "",
                "    virtuallab score predictions.csv --labels labels.csv",
                "",
                "`predictions.csv` has a row for each test subject: `subject`, and one column for "
                "each rule with its probability. `predictions/` has examples. The test labels "
                "are in `labels.csv`, and training the subjects of the protocols again gives them "
                "too; they are hidden by convention. Make all choices with the training subjects, "
                "for example by holding out kinds, and score once.",
                "",
                "## Baselines",
                "",
                baselines.rstrip("\n"),
                "",
                "Classifiers were trained on `training_features.csv` and predict "
                "`test_features.csv`.",
                "",
                "## Licence and citation",
                "",
                "The data have the licence CC-BY-4.0 (`LICENSE`). Cite the set as stated in "
                "`CITATION.cff`, with its version, and the paper whose experiment it follows: "
                "Nayebi et al. 2020, Identifying Learning Rules From Neural Network Observables.",
                "",
            ]
        )

    def _subjects(self, rules: list[str]) -> list[str]:
        known, hidden = Counter(self.training_rules), Counter(self.labels["rule"])
        lines = ["| rule | training | test |", "| --- | --- | --- |"]
        lines += [f"| {rule} | {known[rule]} | {hidden[rule]} |" for rule in rules]
        left_out = [
            f"{part.diverged} of {count_noun(part.recorded + part.diverged, f'{name} subject')}"
            for name, part in (("training", self.training), ("test", self.test))
        ]
        kinds = Counter(self.labels["kind"])
        return [
            *lines,
            "",
            f"Subjects that diverged are left out: {' and '.join(left_out)}. A decoder therefore "
            "does not learn from which rules diverge.",
            "",
            "Kinds of test subjects, with their numbers: "
            + ", ".join(f"{kind} ({kinds[kind]})" for kind in sorted(kinds))
            + ".",
        ]

    def _files(self) -> list[str]:
        lines = ["* Recordings are not part of this set; it has features only."]
        if self.with_recordings:
            lines = [
                "* `training.nc`, `test.nc` (netCDF 4): `activity` (subject, visit, stimulus, "
                f"unit), the responses of {self.units} units to {self.stimuli} stimuli at "
                f"{self.visits} visits, without unit; rounded to 10 bits of the mantissa. "
                "`stimulus_label`: class of the stimulus, -1 without one. `unit_depth`: depth of "
                "the unit's layer, 0 the first and 1 the last. `step`: training step of the "
                "visit. `kind`: network and task of the subject. `training.nc` also has `rule`, "
                "and `pair`, `batch_size`, `model_seed` and `data_seed` where the experiment has "
                "them. Subjects of one pair share random streams.",
            ]
        return [
            *lines,
            f"* `training_features.csv`, `test_features.csv`: the {self.columns} columns of the "
            "default decoder (observable `activity`), without unit. A column's name is "
            "STATISTIC|DEPTH|VISITS. Empty cells were not measured.",
            "* `labels.csv`: `subject`, `rule`, `kind` and, in a paired design, `pair` of the test "
            "subjects.",
            "* `baselines.csv`, `baselines.md`: scores of baselines; `predictions/`: their "
            "probabilities.",
            "* `checksums.sha256`: `sha256sum -c checksums.sha256` compares the files.",
            "* `protocols/`, `datacite.json`, `CITATION.cff`, `LICENSE`, `VERSION`.",
        ]

    def _making(self) -> list[str]:
        lines = [
            "`python studies/benchmark_set.py` of virtuallab recorded preserved subjects again. "
            "Units and stimuli were drawn once for each subject, from all layers, and are the same "
            f"at all visits (seed {self.seed}). Subjects have new names, in an order that is drawn "
            "from the checksums of their states. There is no measurement noise.",
            "",
        ]
        for name, part in (("Training", self.training), ("Test", self.test)):
            changed = f", with {'; '.join(part.overrides)}" if part.overrides else ""
            lines.append(
                f"* {name}: `protocols/{part.name}.yaml`{changed}, seed {part.seed}, virtuallab "
                f"{part.version}, SHA-256 of the protocol with all defaults `{part.sha256}`."
            )
        return lines


def licence(title: str = TITLE) -> str:
    """The licence of data with a title."""
    return (
        f"{title}\nCopyright (c) {YEAR} {CREATOR}\n\n"
        "This data set is licensed under the Creative Commons Attribution 4.0 International "
        "License.\nSPDX-License-Identifier: CC-BY-4.0\n\n"
        "You may share and adapt the material for any purpose if you give appropriate credit, "
        "provide a link\nto the licence and indicate whether changes were made. The full text of "
        f"the licence:\n{_LICENCE_URL}\n"
    )


def citation() -> str:
    """CITATION.cff."""
    return (
        "cff-version: 1.2.0\n"
        "message: If you use this data set, please cite it with its version.\n"
        "type: dataset\n"
        f'title: "{TITLE}"\n'
        f"version: {VERSION}\n"
        "license: CC-BY-4.0\n"
        "authors:\n"
        f"  - name: {CREATOR}\n"
    )


def datacite(files: list[str]) -> str:
    """Metadata in the schema 4 of DataCite; the DOI is empty until it is minted."""
    content = {
        "schemaVersion": "http://datacite.org/schema/kernel-4",
        "doi": "",
        "identifiers": [],
        "creators": [{"name": CREATOR, "nameType": "Organizational"}],
        "titles": [{"title": TITLE, "lang": "en"}],
        "publisher": {"name": CREATOR},
        "publicationYear": str(YEAR),
        "types": {"resourceTypeGeneral": "Dataset", "resourceType": "Simulated recordings"},
        "subjects": [
            {"subject": name}
            for name in ("neuroscience", "learning rules", "electrophysiology", "benchmark")
        ],
        "language": "en",
        "version": VERSION,
        "formats": sorted({_FORMATS[name.rpartition(".")[2]] for name in files}),
        "sizes": [count_noun(len(files), "file")],
        "rightsList": [
            {
                "rights": "Creative Commons Attribution 4.0 International",
                "rightsUri": _LICENCE_URL,
                "rightsIdentifier": "CC-BY-4.0",
                "rightsIdentifierScheme": "SPDX",
                "schemeUri": "https://spdx.org/licenses/",
            }
        ],
        "descriptions": [{"description": _SUMMARY, "descriptionType": "Abstract", "lang": "en"}],
        "relatedIdentifiers": [
            {
                "relatedIdentifier": _NAYEBI,
                "relatedIdentifierType": "arXiv",
                "relationType": "References",
            }
        ],
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


_FORMATS: Final = {"nc": "application/x-netcdf", "csv": "text/csv"}
