"""A model by name with its options, as texts or values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from ..errors import ConfigError
from ..utility.registry import did_you_mean
from ..utility.typing import CovType
from ._base import MODELS, LinearModel


def make_model(
    name: str, options: Iterable[str] = (), *, cov_type: CovType = "nonrobust"
) -> LinearModel:
    """Return a registered model with its options.

    Parameters
    ----------
    name : str
    options : iterable of str
        ``name=value``, such as ``lags=2``; the names are the parameters of the class.
    cov_type : str
        Covariance of the parameters.

    Raises
    ------
    ConfigError
        For an unknown model or option (with the closest one), or a value of the wrong type.
    """
    kind, defaults = MODELS[name], options_of(name)
    chosen: dict[str, Any] = {}
    for text in options:
        key, _, value = text.partition("=")
        if key not in defaults:
            hint = (
                did_you_mean(key, list(defaults))
                or f"{name} has: {', '.join(defaults) or 'no options'}"
            )
            raise ConfigError(f"the model {name} has no such option", value=key, remedy=hint)
        chosen[key] = _typed(f"{name}: {key}", value, defaults[key])
    model = kind(cov_type=cov_type, **chosen)
    model.check_covariance()
    return model


def options_of(name: str) -> dict[str, Any]:
    """Return the options of a model with their defaults; what the factor files decide is none."""
    decided = {"cov_type", "excess", "own_market"}
    wanted = {f.name: f.default for f in fields(MODELS[name]) if f.name not in decided}
    if getattr(MODELS[name], "needed", ()):
        del wanted["columns"]
    return wanted


def _typed(where: str, text: str, default: Any) -> Any:
    """Return `text` as the type of `default`."""
    words = {"true": True, "false": False}
    if isinstance(default, bool):
        if text.lower() not in words:
            raise ConfigError("not true or false", where=where, value=text)
        return words[text.lower()]
    if isinstance(default, tuple):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    try:
        return type(default)(text)
    except ValueError:
        raise ConfigError(
            f"not a value of the kind {type(default).__name__}", where=where, value=text
        ) from None
