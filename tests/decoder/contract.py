"""The checks of scikit-learn, for estimators of this package."""

from __future__ import annotations

from typing import Any

from sklearn.base import clone
from sklearn.utils.estimator_checks import estimator_checks_generator

# Checks that these estimators do not pass, and why that is right.
_EXCUSED = {
    # Sets settings to objects of no type; the tests' own type checks refuse that first.
    "check_do_not_raise_errors_in_init_or_set_params",
    # Weighted samples are repeated samples only up to liblinear's tolerance, as in its parent.
    "check_sample_weight_equivalence_on_dense_data",
    "check_sample_weight_equivalence_on_sparse_data",
}


def failed_checks(estimator: Any) -> list[str]:
    """Names and messages of the checks that an estimator does not pass."""
    failed = []
    for checked, check in estimator_checks_generator(clone(estimator), mark="skip"):
        if check.func.__name__ in _EXCUSED:
            continue
        try:
            check(checked)
        except Exception as error:
            if type(error).__name__ not in {"SkipTest", "Skipped"}:
                failed.append(f"{check.func.__name__}: {error}")
    return failed
