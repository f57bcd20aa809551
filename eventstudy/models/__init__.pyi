from ._base import EstimationData as EstimationData
from ._base import LinearModel as LinearModel
from ._engines import batch as batch
from .families import MODELS as MODELS
from .families import make_model as make_model
from .families import options_of as options_of
from .market import convex_weights as convex_weights
