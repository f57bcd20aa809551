from ._base import Engine as Engine
from ._base import EstimationData as EstimationData
from ._base import LinearModel as LinearModel
from ._engines import CovType as CovType
from ._engines import batch as batch
from .families import MODELS as MODELS
from .market import convex_weights as convex_weights
