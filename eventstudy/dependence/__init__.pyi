from .limits import Limits as Limits
from .limits import require as require
from .weighted_sums import WeightedSums as WeightedSums
from .weighted_sums import residual_correlations as residual_correlations
from .weighted_sums import still_days as still_days
