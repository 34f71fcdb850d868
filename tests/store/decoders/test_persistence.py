"""A saved decoder answers as it did, and nothing that is no decoder is ever run."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.preprocessing import FunctionTransformer, KBinsDiscretizer
from sklearn.svm import SVC

from tests.decoder.synthetic import features
from virtuallab.decoder.samples import by_subject
from virtuallab.decoder.trained import Trained, train
from virtuallab.errors import StoreError
from virtuallab.probe.features import change_names
from virtuallab.registry import CLASSIFIERS
from virtuallab.store.decoders.metadata import DecoderMetadata
from virtuallab.store.decoders.persistence import is_decoder, load_decoder, save_decoder

SAMPLES = by_subject(features(signal=1.5), "activity")
METADATA = DecoderMetadata(
    title="toy",
    question="Does it come back?",
    observable="activity",
    classifier="kernel_svm",
    others=("hebbian",),
    probe={"units": 20, "visits": [0, 2], "noise": {"snr": 1.5}},
    visits=(0, 2, 4),
    stages=2,
    units=(20, 20),
    stimuli=(8, 8),
    layers=(3, 4),
    snr=1.5,
    absent=(3,),
    change_names=change_names(),
    last_step=100,
    learning_rates=(0.01, 0.1),
    architectures=("knet4",),
    tasks=("digits",),
    n_subjects=60,
    accuracy=0.9,
    interval=(0.8, 0.95),
    confidence=0.95,
    coverage=0.91,
    nominal_coverage=0.9,
    made_for="0123456789abcdef",
)


def trained(classifier: str, *, with_others: bool = True) -> Trained:
    rules = sorted(set(SAMPLES.labels.tolist()))
    rows = np.arange(0, len(SAMPLES.labels), 2)
    strangers = SAMPLES.values[1:20:2] + 3.0 if with_others else None
    return train(
        CLASSIFIERS[classifier](),
        SAMPLES,
        rows,
        rules,
        inner_folds=2,
        seed=5,
        others=strangers,
    )


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kept") / "toy.decoder"
    save_decoder(trained("kernel_svm"), METADATA, folder)
    return folder


@pytest.fixture
def folder(kept: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(kept, tmp_path / "toy.decoder"))


def rewrite(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    file = folder / "model.json"
    numbers = json.loads(file.read_text())
    change(numbers)
    file.write_text(json.dumps(numbers))


def replace_estimators(folder: Path, content: bytes) -> None:
    """As somebody would who knows that there is a checksum."""
    (folder / "model.skops").write_bytes(content)
    rewrite(folder, lambda n: n.update(sha256=hashlib.sha256(content).hexdigest()))


@pytest.mark.parametrize("classifier", list(CLASSIFIERS))
@pytest.mark.parametrize("with_others", [True, False])
def test_it_answers_as_before(classifier: str, with_others: bool, tmp_path: Path) -> None:
    before = trained(classifier, with_others=with_others)
    save_decoder(before, METADATA, tmp_path / "a.decoder")
    after, facts = load_decoder(tmp_path / "a.decoder")
    assert facts == METADATA
    asked = SAMPLES.values[1::2]
    for name in ("probability", "p_value", "foreign", "familiar"):
        old, new = (getattr(one.answer(asked), name) for one in (before, after))
        np.testing.assert_array_equal(old, new, err_msg=name)
    np.testing.assert_array_equal(before.typical(asked), after.typical(asked))
    assert after.rules == before.rules


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
    from dataclasses import replace

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


class Trap:
    """Whoever makes one of these, in whatever way, is caught."""

    sprung = False

    def __new__(cls, *_: object) -> Trap:
        cls.sprung = True
        return super().__new__(cls)

    def __setstate__(self, _: object) -> None:
        type(self).sprung = True

    def __reduce__(self) -> tuple[Any, ...]:
        return spring, (), {"a": 1}


def spring() -> Trap:
    Trap.sprung = True
    return Trap()


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
        "space": genuine.familiarity.space,
        "neighbours": genuine.familiarity.neighbours,
        "machines": genuine.familiarity.machines,
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
    changed = content.replace(b'"virtuallab.decoder.preparing"', b'"virtuallab.decoder.preparers"')
    assert changed != content
    replace_estimators(folder, changed)
    with pytest.raises(StoreError, match=r"damaged, or no decoder|no decoder of virtuallab does"):
        load_decoder(folder)


def content_with(estimator: object) -> bytes:
    genuine = trained("kernel_svm").familiarity
    return bytes(
        skops.io.dumps(
            {
                "estimator": estimator,
                "space": genuine.space,
                "neighbours": genuine.neighbours,
                "machines": genuine.machines,
            }
        )
    )


@pytest.mark.parametrize("step", [FunctionTransformer(np.exp), KBinsDiscretizer(), SVC()], ids=str)
def test_parts_that_are_trusted_elsewhere_have_no_place_in_a_decoder(
    step: Any, folder: Path
) -> None:
    pipeline = trained("kernel_svm").estimator
    pipeline.steps.insert(2, ("more", step))
    replace_estimators(folder, content_with(pipeline))
    with pytest.raises(StoreError, match=f"{type(step).__name__} has no place in it"):
        load_decoder(folder)


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("left_child", 9999, "leads out of itself"),
        ("right_child", 0, "leads out of itself"),
        ("feature", 9999, "columns that there are not"),
    ],
)
def test_a_forest_that_leads_astray_is_refused(
    column: str, value: int, said: str, folder: Path
) -> None:
    """Trees follow their indices unseen: one out of place reads foreign memory, or never ends."""
    forest = trained("random_forest").estimator
    tree = forest["classify"].estimators_[3].tree_
    state = tree.__getstate__()
    state["nodes"][column][0] = value
    tree.__setstate__(state)
    replace_estimators(folder, content_with(forest))
    with pytest.raises(StoreError, match=said):
        load_decoder(folder)


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("left", 9999, "leads out of itself"),
        ("right", 0, "leads out of itself"),
        ("feature_idx", 9999, "columns that there are not"),
        ("is_categorical", 1, "asks for categories"),
    ],
)
def test_boosted_trees_that_lead_astray_are_refused(
    column: str, value: int, said: str, folder: Path
) -> None:
    boosted = trained("gradient_boosting").estimator
    boosted["classify"]._predictors[0][0].nodes[column][0] = value
    replace_estimators(folder, content_with(boosted))
    with pytest.raises(StoreError, match=said):
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
        ('{"virtuallab_decoder": 1}', "is damaged"),
        ('{"virtuallab_decoder": 2}', "a newer virtuallab. Update it"),
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
        ("heat", "warm"),
        ("known", [2.0, 1.0]),
        ("distances", [[1.0]]),
        ("conformity", []),
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
