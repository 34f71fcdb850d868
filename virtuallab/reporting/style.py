"""Style of figures: a fixed look for each rule, one theme, readable names.

Rules differ in colour, dashes and marker, so that figures can be read without colour. The colours
are those of seaborn's colour-blind palette that are visible on white, and four darker ones that are
visible in dark mode.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

import matplotlib as mpl
import seaborn as sns

from virtuallab.vocabulary import ACTIVITY, ACTIVITY_CHANGE, THEORY, WEIGHTS, describe

INK: Final = "#20242a"  # text and axes; pages replace it by their text colour
CONTROL_GREY: Final = "#8b9198"
PANEL_WIDTH: Final = 4.0  # inches: the width of a phone


@dataclass(frozen=True)
class Look:
    """Style of a line: ``colour`` in hex, matplotlib's ``dash`` and ``marker``."""

    colour: str
    dash: str | tuple[int, tuple[int, ...]]
    marker: str


_COLOURS: Final = (
    *(sns.color_palette("colorblind").as_hex()[index] for index in (0, 9, 1, 2, 3, 4, 5, 7)),
    *("#5a5fd0", "#b3246b", "#75901a", "#8a5540"),
)
_DASHES: Final = ("solid", (0, (5, 2)), (0, (1, 1)), (0, (5, 1, 1, 1)))
MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "h", "*")
_LOOKS: Final = tuple(
    Look(colour, _DASHES[(row + place) % len(_DASHES)], MARKERS[(place + 5 * row) % len(MARKERS)])
    for row, (place, colour) in product(range(len(_DASHES)), enumerate(_COLOURS))
)

# Shipped rules have the same look in every report. After twelve, colours repeat with other dashes
# and markers.
_KNOWN: Final = {"sgd": 0, "sgdm": 0} | {
    rule: place
    for place, rule in enumerate(
        (
            *("backprop", "adam", "feedback_alignment", "information_alignment"),
            *("direct_feedback_alignment", "weight_mirror", "symmetric_alignment"),
            *("kolen_pollack", "sign_symmetry", "direct_random_target_projection", "hebbian"),
            *("predictive_coding", "node_perturbation", "oja", "bcm", "forward_forward"),
            *("activation_alignment", "weight_perturbation", "alignment"),
            *("reward_modulated_hebbian", "difference_target_propagation"),
        )
    )
}

OBSERVABLE_LOOKS: Final = {
    WEIGHTS: Look("#a8920f", "solid", "s"),
    ACTIVITY: Look("#8455c0", "solid", "o"),
    ACTIVITY_CHANGE: Look("#2f8f92", "solid", "^"),
    "all": Look(INK, "solid", "D"),
    THEORY: Look("#b5532d", "solid", "v"),
}

_PRETTY: Final = {
    "sgd": "SGD",
    "sgdm": "SGD, momentum",
    "adam": "Adam",
    "bcm": "BCM",
    "forward_forward": "forward-forward",
    "hebbian": "Hebbian",
    "kolen_pollack": "Kolen-Pollack",
    "oja": "Oja",
    "reward_modulated_hebbian": "reward-modulated Hebbian",
    "all": "all observables",
    "kernel_svm": "kernel SVM",
    "linear_svm": "linear SVM",
    "conv1d_mlp": "1D convolution",
    "visit_0": "visit 0 alone",
    "signal_removed": "noise alone",
    "step_matched": "steps matched",
    "permuted_labels": "permuted labels",
}


def looks(labels: Iterable[str]) -> dict[str, Look]:
    """Line style of each label, different for up to 48 labels.

    The look depends on the label only, unless two labels of one report would have the same: then
    the later one in alphabetical order has the next free look.

    Parameters
    ----------
    labels : iterable of str
        Names of rules.

    Returns
    -------
    mapping from label to Look

    >>> looks(["adam", "feedback_alignment"])["adam"] == looks(["adam", "sgdm"])["adam"]
    True
    """
    chosen: dict[str, Look] = {}
    known_first = sorted(set(labels), key=lambda label: (label not in _KNOWN, label))
    for label in known_first:
        start = _place(label)
        taken = set(chosen.values())
        order = [_LOOKS[(start + step) % len(_LOOKS)] for step in range(len(_LOOKS))]
        chosen[label] = next((look for look in order if look not in taken), order[0])
    return {label: chosen[label] for label in sorted(chosen)}


def _place(label: str) -> int:
    if label in _KNOWN:
        return _KNOWN[label]
    digest = hashlib.sha256(label.encode()).digest()
    return int.from_bytes(digest[:4], "big") % len(_COLOURS)


def observable_look(observable: str) -> Look:
    """Line style of an observable, in a colour that no rule has."""
    return OBSERVABLE_LOOKS.get(observable, Look(CONTROL_GREY, "solid", "v"))


def pretty(name: str) -> str:
    """Readable form of a name in a protocol or store.

    >>> pretty("feedback_alignment"), pretty("adam")
    ('feedback alignment', 'Adam')
    """
    return _PRETTY.get(name, name.replace("_", " "))


def setting_name(setting: str) -> str:
    """Readable name of a setting of a probe, from its path in the protocol.

    >>> setting_name("units"), setting_name("noise.snr")
    ('recorded units', 'signal-to-noise ratio')
    """
    return describe(setting)["long_name"].replace(".", " ")


_RC: Final[dict[Any, Any]] = {
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # shipped with matplotlib: same layout everywhere
    "font.size": 8.5,
    "axes.labelsize": 8.5,
    "axes.titlesize": 9.0,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "legend.fontsize": 8.0,
    "legend.frameon": False,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.linewidth": 0.7,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "xtick.major.size": 3.0,
    "ytick.major.size": 3.0,
    "lines.linewidth": 1.7,
    "lines.solid_capstyle": "round",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.parse_math": False,  # labels may contain a dollar sign
    "text.usetex": False,
    "image.composite_image": False,
    "svg.fonttype": "none",  # text can be searched, selected and read aloud
    "svg.hashsalt": "virtuallab",  # ids must not differ between two runs
    "svg.image_inline": True,
}

# matplotlib's settings belong to the process and are shared by threads.
_SETTINGS = threading.RLock()


@contextmanager
def theme() -> Iterator[None]:
    """Context with the theme of reports instead of the settings of the process; one thread only."""
    with _SETTINGS, mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update({**sns.axes_style("ticks"), **sns.plotting_context("paper"), **_RC})
        yield
