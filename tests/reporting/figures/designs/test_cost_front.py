from virtuallab.decoder.power_result import DesignResult
from virtuallab.reporting.figures.designs import cost_front


def test_an_accuracy_outside_its_interval_is_drawn() -> None:
    perfect = DesignResult({"units": 2}, 2.0, 1.0, 0.83, 0.99)
    none = DesignResult({"units": 1}, 1.0, 0.0, 0.01, 0.17)
    for confirmed in (perfect, none):
        figure = cost_front.draw(
            [none, perfect], [none, perfect], target=0.8, chance=0.5, confirmed=confirmed
        )
        [bars] = figure.axes[0].containers
        [line] = bars.lines[2]
        [segment] = line.get_segments()
        assert segment[:, 1].min() <= confirmed.accuracy <= segment[:, 1].max()
