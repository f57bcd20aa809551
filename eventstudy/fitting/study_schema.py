"""The JSON Schema of study files, for editors; run as a module it writes the file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..calendars.window import Window
from ..models import MODELS
from ..significance import STATISTICS
from .config import MAIN, SHARED, VARIANT_NAME, StudyConfig
from .settings import FARTHEST, Setting, settings_of
from .study_file import RunSettings, study_settings

SCHEMA_FILE = Path(__file__).parents[1] / "data" / "study.schema.json"
# A day from -FARTHEST to FARTHEST.
_DAY = r"[+-]?(0?[01]?\d{1,4}|0?20000)"
WINDOW: dict[str, Any] = {
    "anyOf": [
        {"type": "string", "pattern": rf"^\s*\[?\s*{_DAY}\s*[:,]\s*{_DAY}\s*\]?\s*$"},
        {
            "type": "array", "minItems": 2, "maxItems": 2,
            "items": {"type": "integer", "minimum": -FARTHEST, "maximum": FARTHEST},
        },
    ]
}  # fmt: skip
TYPES = {str: "string", int: "integer", float: "number", bool: "boolean"}


def schema() -> dict[str, Any]:
    """Return the schema, from the settings and what the docstrings say of them."""
    study = study_settings()
    del study["variants"]
    run = settings_of(RunSettings)
    link = {name: {"$ref": f"#/$defs/{name}"} for name in study}
    variant_links = {name: link[name] for name in study if name not in SHARED}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A study of eventstudy",
        "type": "object",
        "properties": {
            **{name: _described(setting) for name, setting in run.items()},
            **link,
            "variants": {
                "description": settings_of(StudyConfig)["variants"].about,
                "type": "object",
                "propertyNames": {"pattern": f"^{VARIANT_NAME}$", "not": {"const": MAIN}},
                "additionalProperties": {
                    "type": "object", "properties": variant_links, "additionalProperties": False,
                },
            },
        },
        "additionalProperties": False,
        "$defs": {name: _described(setting) for name, setting in study.items()},
    }  # fmt: skip


def text() -> str:
    """Return the schema as it is published."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def _described(setting: Setting) -> dict[str, Any]:
    single = _one(setting)
    kind = {"anyOf": [single, {"type": "array", "items": single}]} if setting.several else single
    return {"description": setting.about, **kind, "default": plain_value(setting.default)}


def _one(setting: Setting) -> dict[str, Any]:
    if setting.kind is Window:
        return WINDOW
    names = {"model": ["", *MODELS], "tests": list(STATISTICS)}
    choices = names.get(setting.name, list(setting.choices))
    single: dict[str, Any] = {"type": TYPES[setting.kind], **({"enum": choices} if choices else {})}
    if setting.kind is int:
        single["minimum"] = setting.minimum
        if setting.maximum is not None:
            single["maximum"] = setting.maximum
    return single | ({"minimum": 0, "maximum": 1} if setting.kind is float else {})


def plain_value(default: Any) -> Any:
    """Return a default as JSON and TOML have it."""
    if isinstance(default, Window):
        return f"{default.start}:{default.stop}"
    return [plain_value(member) for member in default] if isinstance(default, tuple) else default


if __name__ == "__main__":
    SCHEMA_FILE.write_text(text(), encoding="utf-8", newline="\n")
