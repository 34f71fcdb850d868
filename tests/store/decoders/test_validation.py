from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.preprocessing import FunctionTransformer, KBinsDiscretizer
from sklearn.svm import SVC

from tests.store.decoders.toy import replace_estimators, trained
from virtuallab.errors import StoreError
from virtuallab.store.decoders.persistence import load_decoder


def content_with(estimator: object) -> bytes:
    genuine = trained("kernel_svm").detector
    return bytes(
        skops.io.dumps(
            {
                "estimator": estimator,
                "space": genuine.space_,
                "neighbours": genuine.neighbours_,
                "machines": genuine.machines_,
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
        ("left_child", 9999, "invalid children"),
        ("right_child", 0, "invalid children"),
        ("feature", 9999, "columns that do not exist"),
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
        ("left", 9999, "invalid children"),
        ("right", 0, "invalid children"),
        ("feature_idx", 9999, "columns that do not exist"),
        ("is_categorical", 1, "categorical columns"),
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
