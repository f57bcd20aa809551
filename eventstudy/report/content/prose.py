"""What a run says in sentences, so that a finished run can be told again without its results."""

from __future__ import annotations

from typing import Any

from ...analysis.diagnosis import diagnose
from ...utility.numbers import parameter_letter
from ...utility.units import words
from ..html.key_figures import top
from ..html.methods import methods
from .answer import answer, asides
from .subject import Page
from .window_reach import extended, lacking, remedies
from .wording import in_type


def prose(page: Page) -> dict[str, Any]:
    """Return answer, key figures, warnings, diagnosis, methods and references as plain text."""
    head, lost = top(page), lacking(page.results, page.main)
    return {
        "answer": str(answer(page.sample, page.main, subject=page.subject)),
        "asides": asides(page.sample, page.main),
        "others": [str(line) for line in (*head["others"], head["pooled"]) if line],
        "keys": [[label, value, remark] for label, value, remark in head["keys"]],
        "setup": head["setup"],
        "warnings": list(head["warnings"]),
        "subject": page.subject,
        "lacking": list(map(str, lost)),
        "remedies": remedies(lost),
        "extended": [str(one) for one in extended(page.results, page.main)],
        "diagnosis": [in_type(line) for line in diagnose(page.sample, page.main).text],
        **_methods(page),
    }


def _methods(page: Page) -> dict[str, Any]:
    """Return the methods of this study as paragraphs, and the references in full."""
    if not len(page.results):
        return {"methods": [], "references": []}
    m = methods(page)
    kind = "values" if words().what else "returns"
    days = f" ({m['days']} complete days an event)" if m["days"] else ""
    symbol = words().symbol
    law = parameter_letter(page.results.model.formula.replace("R_", f"{symbol}_"))
    model = (
        f"Abnormal {kind} are deviations of {m['kind']} from the {m['model'].label}, estimated on "
        "the "
        f"{m['length']} sessions {m['estimation']} before each event{days}: {law}; "
        f"AR_it = {symbol}_it − E[{symbol}_it]; CAR_i is the sum of AR_it over a window."
    )
    rest = (
        f"They were computed on {m['event']} and cumulated over {m['tested']}. {m['variance']}. "
        f"{m['scar']} "
        f"{m['missing']}"
    )
    own = (
        f"The 95% interval of a single CAR is {m['law_is']}: ± its standard error times the "
        "quantile of "
    )
    done = " ".join([*m["practice"], *[f"{own}{m['law']}."] * m["one_event"]])
    beside = filter(None, [m["bootstrap"], *m["corrections"]])
    tests = "; ".join(
        f"{t.label} ({t.source}; null: {words().say(t.null)})" for t in m["method_tests"]
    )
    parts = (
        model,
        rest,
        done,
        f"Tests: {tests}.",
        " ".join([*beside, "All p-values are two-sided."]),
    )
    cited = [
        f"{who}. {title}{'.' * (title[-1] != '?')} {journal} {place}."
        for who, title, journal, place in m["references"]
    ]
    return {"methods": list(filter(None, parts)), "references": cited}
