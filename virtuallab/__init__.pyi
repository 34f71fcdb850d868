from virtuallab.lab.decode import decode as decode
from virtuallab.lab.designs.compare import compare as compare
from virtuallab.lab.designs.power import power as power
from virtuallab.lab.export import export as export
from virtuallab.lab.identification.identify import identify as identify
from virtuallab.lab.open import open as open
from virtuallab.lab.plan import plan as plan
from virtuallab.lab.probe import probe as probe
from virtuallab.lab.report import report as report
from virtuallab.lab.run import run as run
from virtuallab.lab.scoring.score import score as score
from virtuallab.lab.tuning.search import search as search
from virtuallab.protocol import Protocol as Protocol

__version__: str
__all__ = [
    "Protocol",
    "compare",
    "decode",
    "export",
    "identify",
    "open",
    "plan",
    "power",
    "probe",
    "report",
    "run",
    "score",
    "search",
]
