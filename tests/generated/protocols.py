"""Small protocols drawn at random: all that a protocol can say, a little of each.

What a plug-in may be told is read from its own settings, so rules, optimizers, architectures,
devices and classifiers that come later are drawn too. Equal seeds give equal protocols. Most are
valid: a part that is refused is drawn again, but not always. What takes long is rare.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import typing
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from annotated_types import Ge, Le, Lt

from virtuallab.decoder.schemes.splits import SPLITS, check_columns
from virtuallab.errors import ProtocolError
from virtuallab.lab.planning.subject_table import describe_subjects
from virtuallab.lab.planning.validation import make_plan
from virtuallab.probes.readouts.indicators.calcium import Calcium
from virtuallab.probes.readouts.spikes import Spikes
from virtuallab.protocol import expand, read_text
from virtuallab.protocol.settings.section import Setting, settings_of
from virtuallab.registry import (
    ARCHITECTURES,
    CLASSIFIERS,
    CURRICULA,
    DEVICES,
    OPTIMIZERS,
    RULES,
    SCHEDULES,
    TASKS,
)

MOST = 32  # subjects, or a run takes long
_SLOW_CLASSIFIERS = (
    "conv1d_mlp",
    "gradient_boosting",
    "logistic_regression",
    "random_forest",
)
_OBSERVABLES = ("activity", "weights", "activity_change")

T = TypeVar("T")


class _Draw:
    """Choices from one stream.

    Parameters
    ----------
    seed : int
    """

    def __init__(self, seed: int) -> None:
        self.stream = np.random.default_rng(seed)

    def chance(self, probability: float) -> bool:
        """Return true with this probability."""
        return bool(self.stream.random() < probability)

    def one(self, values: Sequence[T]) -> T:
        """Return one of several values."""
        return values[int(self.stream.integers(len(values)))]

    def whole(self, low: int, high: int) -> int:
        """Return a whole number, bounds included."""
        return int(self.stream.integers(low, high, endpoint=True))

    def some(self, values: Sequence[T], low: int = 1, high: int | None = None) -> list[T]:
        """Return several different values, in their order."""
        count = self.whole(low, min(len(values), high or len(values)))
        chosen = sorted(self.stream.permutation(len(values))[:count].tolist())
        return [values[index] for index in chosen]

    def real(self, low: float, high: float) -> float:
        """Return a number whose logarithm is uniform, to three digits."""
        return float(f"{np.exp(self.stream.uniform(np.log(low), np.log(high))):.3g}")


def generated(seed: int) -> dict[str, Any]:
    """Draw a protocol, as plain data."""
    return _Protocol(_Draw(seed)).written(seed)


def text_of(protocol: dict[str, Any]) -> str:
    """Write a protocol down; JSON is YAML too."""
    return json.dumps(protocol, indent=1)


class _Protocol:
    """A protocol while it is drawn; grids multiply its subjects, up to a bound."""

    def __init__(self, draw: _Draw) -> None:
        self.draw = draw
        self.kinds = 1  # so far

    def written(self, seed: int) -> dict[str, Any]:
        draw = self.draw
        self.open_partial: dict[str, Any] = {
            "schema_version": 1,
            "name": f"generated-{seed}",
            "question": draw.one(["", "Which rule [was] at work?"]),
            "seed": draw.whole(0, 999),
        }
        self.open_partial["subjects"] = self.possible_subjects()
        names = [f"p{number}" for number in range(draw.one([1, 1, 2]))]
        for name in names:
            self.add("probes", self.probe, name)
        for number in range(draw.one([0, *[1] * 5, 2]) if self.enough() else 0):
            self.add("analyses", lambda: self.analysis(names), f"a{number}")
        if draw.chance(0.06) and self.enough():
            self.add("compare", self.compare)
        if draw.chance(0.03) and self.enough():
            self.add("power", self.power)
        if draw.chance(0.1):
            self.add("search", self.search)
        return self.open_partial

    def add(self, key: str, part: Callable[[], Any], name: str | None = None) -> None:
        """Draw a part, again while it is refused; now and then it is taken as it comes."""
        heedless = self.draw.chance(0.01)
        for _ in range(12):
            drawn = part()
            whole = self.open_partial | {
                key: drawn if name is None else {**self.open_partial.get(key, {}), name: drawn}
            }
            if heedless or _is_valid(whole):
                break
        self.open_partial = whole

    def search(self) -> dict[str, Any]:
        draw = self.draw
        return {
            "trials": draw.whole(1, 3),
            "generation": draw.whole(1, 3),
            "objective": draw.one(["validation_performance", "validation_loss", "train_loss"]),
            "seeds": draw.whole(1, 2),
        }

    def enough(self) -> bool:
        """Whether the subjects can be decoded; now and then that is not asked."""
        return (len(self.count) > 1 and min(self.count.values()) >= 4) or self.draw.chance(0.05)

    # subjects

    def possible_subjects(self) -> dict[str, Any]:
        """Draw subjects, anew while they cannot be read; of the last, count each rule's."""
        heedless = self.draw.chance(0.02)
        for _ in range(12):
            self.kinds = 1
            written = self.subjects()
            self.columns: dict[str, Any] = {}
            whole = self.open_partial | {"subjects": written}
            with contextlib.suppress(ProtocolError):
                read = read_text(text_of(whole), name="x")
                subjects = expand(read)
                described = describe_subjects(subjects)
                self.columns = {str(k): v.values for k, v in described.items()}
                if len(subjects) > 2 * MOST:
                    continue
                make_plan(read)
                break
            if heedless:
                break
        self.count = Counter(map(str, self.columns.get("rule", self.labels)))
        return written

    def subjects(self) -> dict[str, Any]:
        draw = self.draw
        self.labels: list[str] = []
        count = draw.one([1, *[2] * 10, *[3] * 4, 4])
        self.kinds = count
        architectures = self.architectures()
        self.dense = all(_name(each) == "mlp" for each in architectures)
        tasks = [self.task()]
        if draw.chance(0.1) and self.room(2):
            tasks.append(self.task())
        length = {"steps": draw.whole(1, 8)} if draw.chance(0.7) else {"epochs": draw.whole(1, 2)}
        batch: Any = draw.one([2, 4, 8, 8, 8, 16])
        if draw.chance(0.07) and self.room(2):
            batch = [4, 8]
        elif draw.chance(0.05):
            batch = {"choice": [4, 8]}
        loss: Any = draw.one(["cross_entropy"] * 6 + ["squared_error"])
        if draw.chance(0.07) and self.room(2):
            loss = ["cross_entropy", "squared_error"]
        self.shared = draw.chance(0.9)  # an optimizer of all rules
        rules = [self.rule(number) for number in range(count)]
        # What is left of the bound after grids; the least that folds can be made of, or more.
        most = max(1, MOST // self.kinds)
        self.each = min(most, draw.one([1, 2, *[4] * 6, *[5] * 3, *[6] * 3, 8, 9, 12, 16]))
        if "resnet18" in map(_name, architectures):  # slow: it has 22 layers
            self.each, length = min(self.each, 2), {"steps": 1}
        found = {
            "architectures": architectures,
            "tasks": tasks,
            "rules": rules,
            "replicates": self.each,
            **({} if batch == 32 else {"batch_size": batch}),
            "loss": loss,
            **length,
            "visits": (visits := self.visits(length)),
            "cohort": draw.one(["measured", 1, 3, 8, 50]),
        }
        self.last_visit = (visits if isinstance(visits, int) else len(visits)) - 1
        if self.shared:
            found["optimizer"] = self.optimizer()
        return found | self.course()

    def course(self) -> dict[str, Any]:
        """Draw a curriculum, a schedule and a pretraining; mostly none of them."""
        draw = self.draw
        found: dict[str, Any] = {}
        own = {"class_order": lambda: [int(each) for each in draw.stream.permutation(10)]}
        own["drops"] = lambda: sorted(draw.real(0.1, 0.9) for _ in range(draw.whole(0, 2)))
        for key, registry in (("curriculum", CURRICULA), ("schedule", SCHEDULES)):
            if draw.chance(0.3):
                name = draw.one([*registry])
                found[key] = self.plugin(registry[name], own, often=0.3)
                usual = {"curriculum": "shuffled", "schedule": "constant"}[key]
                if name != usual and draw.chance(0.2) and self.room(2):
                    found[key] = [usual, found[key]]
        if draw.chance(0.2):
            start = {draw.one(["steps", "epochs"]): draw.whole(1, 3)}
            if draw.chance(0.3):
                start["task"] = self.task()
            if draw.chance(0.7):
                start["rule"] = draw.one(["backprop", "feedback_alignment", *RULES])
            if draw.chance(0.7) or not self.shared:
                start["optimizer"] = self.optimizer()
            found["start_from"] = start
        return found

    def room(self, times: int) -> bool:
        """Whether so many times the kinds of subject stay within the bound; if so, take it."""
        if self.kinds * times * 4 > MOST:
            return False
        self.kinds *= times
        return True

    def architectures(self) -> list[Any]:
        draw = self.draw
        names = [draw.one(["mlp"] * 16 + ["knet4", "convnet"] * 2 + ["knet5"])]
        if draw.chance(0.004):
            names = ["resnet18"]
        if draw.chance(0.12) and self.room(2):
            names.append(draw.one(["mlp", "mlp", "convnet", "knet4"]))
        special: dict[str, Callable[[], Any]] = {
            "hidden": lambda: [draw.whole(2, 9) for _ in range(draw.whole(1, 3))],
            "depth": lambda: draw.whole(1, 3),
            "channels": lambda: draw.whole(1, 4),
            "kernel": lambda: draw.one([1, 3, 3]),
        }
        made = []
        for name in names:
            own = dict(special)
            if name.startswith("knet"):
                own["channels"] = lambda name=name: [
                    draw.whole(1, 4) for _ in range(int(name[-1]) - 1)
                ]
            written = self.plugin(ARCHITECTURES[name], own, often=0.9)
            made.append(written)
        if len(made) == 2 and made[0] == made[1]:
            made.pop()
        return made

    def task(self) -> Any:
        draw = self.draw
        special = {
            "train_images": lambda: draw.whole(16, 32),
            "validation_images": lambda: draw.one([10, 12, 20]),
            "probe_images": lambda: draw.one([10, 10, 12, 15]),
        }
        name = draw.one(["digits"] * 20 + ["mnist_5k"])
        written: dict[str, Any] = {"name": name}
        for setting in settings_of(TASKS[name]):
            written[setting.name] = special[setting.name]()
        return written

    def rule(self, number: int) -> Any:
        draw = self.draw
        fitting = [
            name for name in RULES if self.dense or not RULES[name].dense_only or draw.chance(0.03)
        ]
        name = draw.one([*fitting, "backprop", "backprop", "feedback_alignment"])
        written = self.plugin(RULES[name], {}, often=0.3)
        label = name if not any(each == name for each in self.labels) else f"{name}-{number}"
        if draw.chance(0.2):
            label = draw.one(["x", "A_1", "0", "null", "nan", "rule"]) + str(number)
        self.labels.append(label)
        own: dict[str, Any] = {} if label == name else {"label": label}
        if not self.shared or draw.chance(0.15):
            own["optimizer"] = self.optimizer()
        # Kolen and Pollack's weights share their steps: another optimizer for one is refused.
        if draw.chance(0.07) and name != "kolen_pollack":
            own["feedback_optimizer"] = self.optimizer()
        if draw.chance(0.1):
            own["replicates"] = draw.whole(1, 8)
        if not own and isinstance(written, str):
            return written
        return {**(written if isinstance(written, dict) else {"name": written}), **own}

    def optimizer(self) -> Any:
        draw = self.draw

        def rate() -> Any:
            low = draw.real(1e-3, 0.1)
            if draw.chance(0.5):
                return {"log_uniform": [low, 3 * low]}
            if draw.chance(0.08):
                return draw.one([30.0, {"log_uniform": [0.01, 1e4]}, {"choice": [0.01, 1e6]}])
            return low

        name = draw.one(["sgd", "sgd", *OPTIMIZERS])
        special = {"learning_rate": rate}
        return self.plugin(OPTIMIZERS[name], special, often=0.15, must={"learning_rate"})

    def visits(self, length: dict[str, int]) -> Any:
        draw = self.draw
        steps = length.get("steps", 2)
        if draw.chance(0.1):
            return [0]
        if draw.chance(0.25):
            return [0, *(each + 1 for each in draw.some(range(steps), 1, 4))]
        return draw.whole(
            2, max(2, min(draw.one([3, 3, 4, 9]), steps + (1 if draw.chance(0.95) else 2)))
        )

    # plug-ins

    def plugin(
        self,
        plugin: Any,
        special: dict[str, Callable[[], Any]],
        *,
        often: float,
        must: set[str] | None = None,
    ) -> Any:
        """Write a plug-in's name, and with some probability each of its settings."""
        written: dict[str, Any] = {"name": plugin.name}
        for setting in settings_of(plugin):
            named = setting.name in (must or ())
            if not named and not self.draw.chance(often):
                continue
            if setting.name in special:
                written[setting.name] = special[setting.name]()
            else:
                written[setting.name] = self.swept(setting)
        return plugin.name if len(written) == 1 else written

    def swept(self, setting: Setting) -> Any:
        """Draw a setting's value, a grid of two, or a distribution."""
        draw = self.draw
        first, second = self.value(setting), self.value(setting)
        if first == second or isinstance(first, list):
            return first
        if draw.chance(0.12) and self.room(2):
            return draw.one([[first, second], {"grid": [first, second]}])
        if draw.chance(0.1):
            return {"choice": [first, second]}
        if isinstance(first, float) and draw.chance(0.2):
            low, high = sorted((first, second))
            return {"log_uniform" if low > 0 and draw.chance(0.5) else "uniform": [low, high]}
        return first

    def value(self, setting: Setting) -> Any:
        draw, kind = self.draw, setting.kind
        marks: tuple[Any, ...] = ()
        if typing.get_origin(kind) is typing.Annotated:
            marks, kind = kind.__metadata__, kind.__origin__
        if setting.name == "centre":
            return False  # only of a rule's own activity
        if typing.get_origin(kind) is typing.Literal:
            return draw.one(typing.get_args(kind))
        if kind is bool:
            return draw.chance(0.5)
        if kind is int:
            least = max((mark.ge for mark in marks if isinstance(mark, Ge)), default=0)
            return draw.whole(int(least), int(least) + 2)
        if kind is float:
            wanted = (setting.default or 0.1) * draw.one([0.3, 0.7, 1.0, 1.5])
            least = max((getattr(m, "ge", 0.0) for m in marks), default=0.0)
            highs = [mark for mark in marks if isinstance(mark, Le | Lt)]
            most = min((m.le if isinstance(m, Le) else m.lt for m in highs), default=np.inf)
            if draw.chance(0.1) and any(isinstance(mark, Ge) for mark in marks):
                return float(least)
            return float(f"{min(max(wanted, least), 0.99 * most):.3g}")
        return setting.default if not isinstance(setting.default, tuple) else list(setting.default)

    # recording

    def probe(self) -> dict[str, Any]:
        draw = self.draw
        found: dict[str, Any] = {}
        device = draw.chance(0.3)
        if device:
            found["device"] = draw.one(
                [*DEVICES, {"contacts": [[0.0, 40.0 * each] for each in range(draw.whole(1, 20))]}]
            )
            if draw.chance(0.3):
                found["insertions"] = draw.whole(1, 2)
            if draw.chance(0.3):
                found["radius"] = draw.one(["none", 50.0, 100.0])
        shape = draw.one(["units", "units_per_layer", "all"] if not device else ["all", "units"])
        if shape != "all":
            found[shape] = draw.one([1, 2, 2, 3, 8] if shape == "units" else [1, 1, 1, 2])
        if draw.chance(0.3):
            found[draw.one(["synapses", "synapses_per_layer"])] = draw.one([1, 3, 8])
        if draw.chance(0.2):
            found["division"] = "even"
        if draw.chance(0.2):
            found["selection"] = "active"
        if draw.chance(0.2) and shape != "all":
            found[draw.one(["turnover", "daily_loss"])] = draw.one([0.0, 0.2, 0.5, 1.0])
            found["observables"] = ["activity"]
        elif draw.chance(0.1) and shape == "all" and not device:
            found["pool"] = draw.one([1, 2, 3])
            found["observables"] = ["activity"]
        elif draw.chance(0.4):
            found["observables"] = draw.some(_OBSERVABLES)
        if draw.chance(0.1):
            found["layers"] = draw.some(["fc1", "fc2", "conv1"], 1, 1)
        if draw.chance(0.4):
            found["noise"] = draw.one(
                [
                    {},
                    {"snr": draw.real(0.1, 10)},
                    {"snr": draw.real(0.1, 10), "correlation": draw.real(0.05, 1)},
                    {"unit_snr": draw.real(0.1, 10)},
                    {"sigma": draw.one([0.0, 0.01, 1.0])},
                ]
            )
        if "activity" not in found.get("observables", ["activity"]):
            pass
        elif draw.chance(0.15):
            found["spikes"] = self.section(Spikes)
        elif draw.chance(0.1):
            found["calcium"] = self.section(Calcium)
            if draw.chance(0.3):
                found["calcium"]["photons"] = draw.real(1, 1e4)
        if draw.chance(0.4):
            last = self.last_visit + draw.chance(0.05)
            late = [min(1, last)]
            span = {"count": draw.whole(1, last + 1), "first": draw.one([0, -1, -last - 1])}
            if span["first"] == -1:
                span["count"] = 1
            found["visits"] = draw.one([1, 1 + late[0], [0], late, sorted({0, last}), "all", span])
        if draw.chance(0.3):
            found["stimuli"] = draw.one([1, 1, 2, 5, "all"])
        if draw.chance(0.4):
            found["keep"] = draw.one(["statistics", "recording"])
        return found

    def section(self, kind: Any) -> dict[str, Any]:
        return {
            setting.name: self.value(setting)
            for setting in settings_of(kind)
            if setting.default is not None and self.draw.chance(0.5)
        }

    # decoding

    def folds(self) -> dict[str, int]:
        """Folds that so many subjects of a rule just allow, or fewer, or now and then too many."""
        draw = self.draw
        each = min(self.count.values())
        fitting = [
            pair for pair in itertools.product((2, 3, 4, 5), repeat=2) if pair[0] * pair[1] <= each
        ]
        if not fitting or draw.chance(0.75):  # more take longer
            fitting = [(2, 2)]
        folds, inner = draw.one([fitting[-1], *fitting])
        return {"folds": folds, "inner_folds": inner}

    def classifiers(self) -> list[str]:
        draw = self.draw
        quick = [name for name in CLASSIFIERS if name not in _SLOW_CLASSIFIERS]
        if draw.chance(0.03):
            return [draw.one(_SLOW_CLASSIFIERS)]
        return draw.some(quick, 1, 2 if draw.chance(0.07) else 1)

    def analysis(self, probes: list[str]) -> dict[str, Any]:
        draw = self.draw
        found: dict[str, Any] = {**self.folds(), "classifiers": self.classifiers()}
        if draw.chance(0.5):
            found["probes"] = draw.some(probes, 1, 2 if draw.chance(0.2) else 1)
        observables = [*_OBSERVABLES, "all"]
        found["observables"] = draw.some(observables, 1, draw.one([1, 1, 1, 1, 2, 4]))
        published = draw.chance(0.15)
        if published:
            found["scheme"] = "published"
            found["splits"] = draw.whole(1, 3)
        if draw.chance(0.02):
            found["grid"] = "published"
            found["classifiers"] = ["kernel_svm"]
        if draw.chance(0.2) and not published:
            split = [
                name
                for name in draw.some(SPLITS, 1, len(SPLITS))
                if draw.chance(0.05) or not check_columns(self.columns, name)
            ]
            found["hold_out"] = split[0] if len(split) == 1 and draw.chance(0.3) else split
        found["permutations"] = draw.one([0, 0, 1, 2])
        found["repeats"] = draw.one([1, 1, 1, 3])
        if draw.chance(0.15) and len(self.labels) > 2:
            found["others"] = draw.some(self.labels, 1, len(self.labels) - 2)
        if draw.chance(0.2):
            found["coverage"] = draw.one([0.5, 0.8, 0.99])
        if draw.chance(0.2):
            found["confidence"] = draw.one([0.5, 0.9, 0.999])
        if draw.chance(0.25):
            choice = {
                "probe": found.get("probes", probes),
                "observable": found["observables"],
                "classifier": found["classifiers"],
            }
            keys = draw.some(list(choice)) if draw.chance(0.3) else list(choice)
            found["primary"] = {key: draw.one(choice[key]) for key in keys}
        return found

    def compare(self) -> dict[str, Any]:
        draw = self.draw
        designs = {f"d{number}": self.probe() for number in range(draw.whole(1, 2))}
        for design in designs.values():
            if draw.chance(0.3):
                design["noise"] = {"snr": [0.5, 2.0]}
        found = {"designs": designs, "seeds": draw.whole(1, 2), **self.folds()}
        if draw.chance(0.4):
            found["observables"] = draw.some([*_OBSERVABLES, "all"], 1, 2)
        if draw.chance(0.3):
            found["classifiers"] = self.classifiers()
        if draw.chance(0.3):
            found["controls"] = False
        return found

    def power(self) -> dict[str, Any]:
        draw = self.draw
        design = self.probe()
        for key in ("units_per_layer", "device", "insertions", "radius", "turnover", "daily_loss"):
            design.pop(key, None)
        spaces: dict[str, Any] = {
            "units": {"log_uniform": [1, draw.whole(2, 5)]},
            "noise": {"snr": {"log_uniform": [0.1, 5.0]}},
            "stimuli": {"uniform": [1, 5]},
            "visits": {"uniform": [1, 2]},
        }
        design |= {key: spaces[key] for key in draw.some(list(spaces), 1, 2)}
        return {
            "design": design,
            "target": draw.one([0.6, 0.8, 0.95]),
            "trials": draw.whole(4, 5),
            "generation": draw.whole(2, 4),
            "seeds": 1,
            **self.folds(),
        }


def _is_valid(whole: dict[str, Any]) -> bool:
    try:
        make_plan(read_text(text_of(whole), name="x"))
    except ProtocolError:
        return False
    return True


def _name(written: Any) -> str:
    return str(written["name"] if isinstance(written, dict) else written)
