"""The committed run of events.csv on the bundled prices is computed again, on whatever machine this
is."""

from __future__ import annotations

import pytest
from conftest import ROOT

from eventstudy.runs import Record, reproduce_run, verify_run

RUN = ROOT / "reports" / "sanctions-sample"
AGAIN = "run again: eventstudy run events.csv --prices sample --offline --event-pages 0 --name sanctions-sample"
pytestmark = pytest.mark.skipif(
    not (ROOT / ".git").exists(), reason="the source package has no reports"
)


def test_it_is_as_it_was_written_and_of_the_current_events() -> None:
    found = verify_run(RUN)
    assert found.ok, f"{found}\n{AGAIN}"
    assert (RUN / "data" / "events.csv").read_bytes() == (ROOT / "events.csv").read_bytes(), AGAIN
    record = Record.read(RUN)
    assert record.manifest["command"].startswith("eventstudy run events.csv")
    assert record.manifest["origin"]["files"] == {"data/events.csv": "../../events.csv"}


@pytest.mark.slow
def test_it_is_reproduced() -> None:
    """Exactly under the versions that computed it, to nine digits under others."""
    found = reproduce_run(RUN)
    assert found.ok, f"{found}\n{AGAIN}"
    assert found.exact or found.versions, f"{found}\n{AGAIN}"
    assert found.cells > 30_000
