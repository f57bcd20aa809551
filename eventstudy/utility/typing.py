"""Array aliases and the closed sets of words that options take."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]
SmallIntArray: TypeAlias = NDArray[np.signedinteger[Any]]
BoolArray: TypeAlias = NDArray[np.bool_]
DateArray: TypeAlias = NDArray[np.datetime64]
ObjectArray: TypeAlias = NDArray[np.object_]
AnyArray: TypeAlias = NDArray[Any]

# A text that is an ISO date, or blank.
Day: TypeAlias = Annotated[str, "day"]
# The name of a test of significance, or blank.
TestName: TypeAlias = Annotated[str, "test"]
Trust = Literal["valid", "valid with care", "not valid"]
Measure = Literal["return", "volume", "turnover", "volatility"]
ReturnKind = Literal["simple", "log"]
CovType = Literal["nonrobust", "HC0", "HC1", "HC2", "HC3", "HAC"]
Engine = Literal["statsmodels", "batch"]
Halt = Literal["calendar", "shift"]
Repeat = Literal["mask", "first", "keep-all"]
BenchmarkPolicy = Literal["fallback", "strict"]
CalendarChoice = Literal["exchange", "data"]
Alternative = Literal["two-sided", "less", "greater"]
