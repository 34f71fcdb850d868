"""A saved decoder answers as it did, and nothing that is no decoder is ever run."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
import xarray as xr

from tests.store.decoders.toy import (
    METADATA,
    SAMPLES,
    Trap,
    replace_estimators,
    rewrite,
    spring,
    trained,
)
from virtuallab.decoder.features.centring import Centres
from virtuallab.errors import StoreError
from virtuallab.probes.statistics.features import change_names
from virtuallab.registry import CLASSIFIERS
from virtuallab.store.decoders.persistence import is_decoder, load_decoder, save_decoder


@pytest.mark.parametrize("classifier", list(CLASSIFIERS))
@pytest.mark.parametrize(("with_others", "with_nulls"), [(True, True), (False, False)])
def test_it_answers_as_before(
    classifier: str, with_others: bool, with_nulls: bool, tmp_path: Path
) -> None:
    before = trained(classifier, with_others=with_others, with_nulls=with_nulls)
    save_decoder(before, METADATA, tmp_path / "a.decoder")
    after, facts = load_decoder(tmp_path / "a.decoder")
    assert facts == METADATA
    asked = SAMPLES.values[1::2]
    xr.testing.assert_identical(before.predict(asked).dataset, after.predict(asked).dataset)
    assert after.rules == before.rules


def test_its_centres_are_kept(tmp_path: Path) -> None:
    columns = SAMPLES.values.shape[1]
    centres = Centres(*np.random.default_rng(0).random((3, columns)))
    before = replace(trained("logistic_regression"), centres=centres)
    save_decoder(before, METADATA, tmp_path / "a.decoder")
    after, _ = load_decoder(tmp_path / "a.decoder")
    asked, references = SAMPLES.values[1::2], SAMPLES.values[:3]
    xr.testing.assert_identical(
        before.predict(asked, references).dataset, after.predict(asked, references).dataset
    )


def test_another_can_be_saved_in_its_place_but_not_in_that_of_anything_else(
    folder: Path, tmp_path: Path
) -> None:
    save_decoder(trained("logistic_regression"), METADATA, folder)
    assert sorted(f.name for f in folder.iterdir()) == ["model.json", "model.skops"]
    assert [f.name for f in tmp_path.iterdir()] == ["toy.decoder"]
    load_decoder(folder)
    (tmp_path / "data.decoder").mkdir()
    with pytest.raises(StoreError, match=r"is no decoder\. Choose another name"):
        save_decoder(trained("kernel_svm"), METADATA, tmp_path / "data.decoder")
    with pytest.raises(StoreError, match=r"call it .*mine\.decoder"):
        save_decoder(trained("kernel_svm"), METADATA, tmp_path / "mine")
    theirs = tmp_path / "theirs.decoder"
    theirs.mkdir()
    (theirs / "model.json").write_text("{}")
    (theirs / "weights.bin").write_bytes(b"theirs")
    (tmp_path / "link.decoder").symlink_to(folder)
    (tmp_path / "other.decoder.tmp").mkdir()
    (tmp_path / "other.decoder.tmp" / "notes").write_text("theirs")
    for place in (theirs, tmp_path / "link.decoder"):
        with pytest.raises(StoreError, match=r"Choose another name"):
            save_decoder(trained("kernel_svm"), METADATA, place)
    save_decoder(trained("kernel_svm"), METADATA, tmp_path / "other.decoder")
    assert (theirs / "weights.bin").read_bytes() == b"theirs"
    assert (tmp_path / "other.decoder.tmp" / "notes").read_text() == "theirs"
    assert (tmp_path / "link.decoder").is_symlink()


def test_what_could_not_be_loaded_is_not_saved(tmp_path: Path) -> None:
    strange = replace(trained("kernel_svm"), estimator=Trap())
    with pytest.raises(StoreError, match=r"cannot be saved: it holds .*Trap"):
        save_decoder(strange, METADATA, tmp_path / "a.decoder")
    assert not list(tmp_path.iterdir())


def test_a_damaged_file_is_found_by_its_checksum(folder: Path) -> None:
    file = folder / "model.skops"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(StoreError, match=r"model\.skops is damaged.*checksum differs"):
        load_decoder(folder)


FOREIGN: dict[str, Callable[[], Any]] = {
    "Trap": Trap,
    "spring": lambda: spring,
    "posix.system": lambda: functools.partial(os.system, "true"),
}


@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.parametrize("part", ["estimator", "machines"])
def test_foreign_types_are_refused_by_name_and_nothing_is_run(
    name: str, part: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine = trained("kernel_svm")
    parts = {
        "estimator": genuine.estimator,
        "space": genuine.detector.space_,
        "neighbours": genuine.detector.neighbours_,
        "machines": genuine.detector.machines_,
    }
    replace_estimators(folder, skops.io.dumps({**parts, part: FOREIGN[name]()}))
    monkeypatch.setattr(Trap, "sprung", False)
    with pytest.raises(StoreError, match=f"holds what no decoder of virtuallab does: .*{name}"):
        load_decoder(folder)
    assert not Trap.sprung


def test_a_type_that_pretends_to_be_another_is_refused(folder: Path) -> None:
    """Types are compared by their whole name, module and all."""
    genuine = trained("kernel_svm").estimator
    content = skops.io.dumps({"estimator": genuine})
    changed = content.replace(
        b'"virtuallab.decoder.features.preprocessing"', b'"virtuallab.decoder.preparers"'
    )
    assert changed != content
    replace_estimators(folder, changed)
    with pytest.raises(StoreError, match=r"damaged, or no decoder|no decoder of virtuallab does"):
        load_decoder(folder)


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x05\x06" + bytes(18)])
def test_what_is_not_of_skops_is_damaged(content: bytes, folder: Path) -> None:
    replace_estimators(folder, content)
    with pytest.raises(StoreError, match="is damaged, or no decoder"):
        load_decoder(folder)


def test_estimators_of_another_kind_are_no_decoder(folder: Path) -> None:
    replace_estimators(folder, skops.io.dumps([1, 2]))
    with pytest.raises(StoreError, match="is damaged"):
        load_decoder(folder)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON of a decoder"),
        ("[1]", "not JSON of a decoder"),
        ("[" * 100_000, "not JSON of a decoder"),
        ("{}", "is not a decoder of virtuallab"),
        ('{"virtuallab_decoder": "1"}', "is not a decoder of virtuallab"),
        ('{"virtuallab_decoder": 3}', "is damaged"),
        ('{"virtuallab_decoder": 4}', r"a newer virtuallab .format 4.*Update virtuallab, or train"),
        ('{"virtuallab_decoder": 2}', r"an older virtuallab .format 2.*\. Train the decoder anew"),
        ('{"virtuallab_decoder": 1}', r"an older virtuallab .format 1.*\. Train the decoder anew"),
    ],
)
def test_what_is_no_model_json_is_refused(text: str, said: str, folder: Path) -> None:
    (folder / "model.json").write_text(text)
    with pytest.raises(StoreError, match=said):
        load_decoder(folder)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("rules", ["adam", "sgdm"]),
        ("rules", None),
        ("temperature", "warm"),
        ("novelty", [2.0, 1.0]),
        ("distance", [[1.0]]),
        ("conformity", []),
        ("own_p_value", [0.5, 0.1]),
        ("no_learning", {}),
        ("no_learning", {"nulls": {}}),
        ("centres", {}),
        ("centres", {"overall": [0.0], "between": [1.0, 1.0], "within": [1.0]}),
        ("centres", {"overall": [0.0], "between": [-1.0], "within": [1.0]}),
        ("centres", {"overall": [None], "between": [1.0], "within": [1.0]}),
        ("facts", {}),
        ("versions", []),
    ],
)
def test_numbers_that_do_not_fit_are_damage(key: str, value: object, folder: Path) -> None:
    rewrite(folder, lambda numbers: numbers.update({key: value}))
    with pytest.raises(StoreError, match="is damaged"):
        load_decoder(folder)


def test_facts_of_another_type_are_damage(folder: Path) -> None:
    rewrite(folder, lambda numbers: numbers["facts"].update(stages="2"))
    with pytest.raises(StoreError, match=r"is damaged.*stages"):
        load_decoder(folder)


def test_missing_parts_are_named(folder: Path, tmp_path: Path) -> None:
    (folder / "model.skops").unlink()
    with pytest.raises(StoreError, match=r"model\.skops is missing"):
        load_decoder(folder)
    (folder / "model.json").unlink()
    with pytest.raises(StoreError, match=r"there is no model\.json in it"):
        load_decoder(folder)
    with pytest.raises(StoreError, match=r"there is no decoder\. In .*: toy\.decoder"):
        load_decoder(tmp_path / "other.decoder")


def test_another_minor_version_of_scikit_learn_is_refused(folder: Path) -> None:
    rewrite(folder, lambda n: n["versions"].update({"scikit-learn": "1.2.0"}))
    with pytest.raises(StoreError, match=r"made with scikit-learn 1\.2\.0.*Train the decoder anew"):
        load_decoder(folder)


def test_another_patch_of_it_is_not(folder: Path) -> None:
    from importlib.metadata import version

    minor = ".".join(version("scikit-learn").split(".")[:2])
    rewrite(folder, lambda n: n["versions"].update({"scikit-learn": f"{minor}.99"}))
    load_decoder(folder)


def test_features_of_another_version_are_refused(folder: Path) -> None:
    rewrite(folder, lambda n: n["facts"].update(change_names=[*change_names()[1:], "new"]))
    with pytest.raises(StoreError, match=r"2 differ: .*new.*Train the decoder anew"):
        load_decoder(folder)


def test_a_decoder_is_known_by_its_name_or_by_what_is_in_it(folder: Path, tmp_path: Path) -> None:
    assert is_decoder(folder)
    assert is_decoder(tmp_path / "not there.decoder")
    assert is_decoder(folder.rename(tmp_path / "renamed"))
    assert not is_decoder(tmp_path)
