"""Draw the picture of the README: headline and chart of the card of reports/sanctions-sample.

python tools/make_readme_picture.py docs/_static/readme.png
"""

from __future__ import annotations

import sys
from pathlib import Path

from matplotlib.transforms import Bbox

from eventstudy.findings import Findings, FinishedRun
from eventstudy.report.formats import figure_files as card
from eventstudy.report.sentences.answer import split_answer

RUN = Path(__file__).parents[1] / "reports" / "sanctions-sample"
# Pixels from the top: the line of the headline, and the edges of the chart with its caption, below
# which a card has room for more.
HEAD, TOP, FOOT, LEFT_OUT = 30, 52, 320, 20


def draw(findings: Findings, picture: Path) -> None:
    """Write the headline of a study and the path below it.

    Parameters
    ----------
    findings : Findings
    picture : Path
    """
    assert findings.sample.implied is not None
    with card._styled(findings, **{"font.family": card._installed(card.SANS), "axes.grid": False}):
        figure = card._blank()
        head = split_answer(findings)[0].removesuffix(".")
        card._write(figure, HEAD, [head], 24, fontweight="bold")
        card._draw_chart(figure, findings.sample.implied, TOP, FOOT + LEFT_OUT)
        width, height = figure.get_size_inches()
        cut = Bbox.from_extents(0, height - FOOT / card.DPI, width, height)
        figure.savefig(picture, dpi=card.DPI, bbox_inches=cut, metadata=card.METADATA["png"])


if __name__ == "__main__":
    draw(FinishedRun.read(RUN).findings, Path(sys.argv[1]))
