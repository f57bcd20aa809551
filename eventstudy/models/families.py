"""All models, by name: each family registers its own when it is imported."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from ..errors import ConfigError
from ..utility import did_you_mean
from . import factor_models, garch, market, robust
from ._base import REGISTERED, LinearModel
from ._engines import CovType

# Each registers its models when it is imported; ``_base.ORDER`` is the order that users see.
FAMILIES = (market, factor_models, robust, garch)
MODELS = REGISTERED


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
            listed = f"{name} has: {', '.join(defaults) or 'no options'}"
            hint = did_you_mean(key, defaults) or listed
            raise ConfigError(f"the model {name} has no such option", value=key, remedy=hint)
        chosen[key] = _typed(f"{name}: {key}", value, defaults[key])
    model = kind(cov_type=cov_type, **chosen)
    model.check_covariance()
    return model


def options_of(name: str) -> dict[str, Any]:
    """Return the options of a model with their defaults, without those that factor files decide."""
    model = MODELS[name]
    decided = {"cov_type", "excess", "own_market"}
    if "alpha" not in model().parameters or name == "constant_mean":
        decided.add("zero_alpha")
    if getattr(model, "needed", ()):
        decided.add("columns")
    listed = sorted(fields(model), key=lambda option: option.name == "zero_alpha")
    return {f.name: f.default for f in listed if f.name not in decided}


def _typed(where: str, text: str, default: Any) -> Any:
    """Return `text` as the type of `default`."""
    words = {"true": True, "false": False}
    if isinstance(default, bool):
        if text.lower() not in words:
            raise ConfigError("not true or false", where=where, value=text)
        return words[text.lower()]
    if isinstance(default, tuple):
        return tuple(name.strip() for name in text.split(",") if name.strip())
    try:
        return type(default)(text)
    except ValueError:
        reason = f"not a value of the kind {type(default).__name__}"
        raise ConfigError(reason, where=where, value=text) from None
