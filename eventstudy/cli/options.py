"""The options of a study, as the commands that compute one take them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from .shared import PATH

# In the order of --help: data, model, windows, events, tests, where it goes.
STUDY_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--prices",
        metavar="auto|yahoo|sample|store|NAME|PATH",
        help="Where prices come from; NAME is a source of another package: eventstudy list prices. "
        "[default: auto]",
    ),
    click.option(
        "--returns",
        metavar="FILE",
        help="Decimal returns to use instead of prices (wide, or date,ticker,ret).",
    ),
    click.option(
        "--calendar",
        type=click.Choice(["exchange", "data"]),
        help="Sessions of the exchange, or dates of the data.",
    ),
    click.option(
        "--benchmark",
        metavar="TICKER",
        help="One index for all events, whatever the file says; 'A;B;C' for their mean, "
        "peers for that column.",
    ),
    click.option(
        "--benchmark-policy",
        type=click.Choice(["fallback", "strict"]),
        help="An index that the file names lacks prices: use one of the exchange, or drop the "
        "event. "
        "[default: fallback]",
    ),
    click.option(
        "--currency",
        metavar="local|CODE",
        help="Convert all returns to a currency such as USD. [default: local]",
    ),
    click.option(
        "--size",
        metavar="yahoo|FILE",
        help="Market values for weights and losses in money. [default: the column mcap]",
    ),
    click.option(
        "--measure",
        type=click.Choice(["return", "volume", "turnover", "volatility"]),
        help="What is studied. [default: return]",
    ),
    click.option(
        "--model",
        metavar="NAME",
        help="Model of normal returns. [default: market; constant_mean for other measures]",
    ),
    click.option(
        "--model-option",
        "model_options",
        metavar="NAME=VALUE",
        multiple=True,
        help="An option of the model, such as lags=2; may be repeated.",
    ),
    click.option(
        "--cov",
        "cov_type",
        type=click.Choice(["nonrobust", "HC0", "HC1", "HC2", "HC3", "HAC"]),
        help="Covariance of the parameters. [default: nonrobust]",
    ),
    click.option(
        "--factors",
        metavar="FILE",
        multiple=True,
        help="Factor returns: a table, or Ken French's daily file; may be repeated.",
    ),
    click.option(
        "--series",
        metavar="NAME=TICKER",
        multiple=True,
        help="A series that the model needs for all events, such as world=URTH.",
    ),
    click.option(
        "--estimation",
        metavar="START:STOP",
        help="Estimation window in trading days. [default: -250:-31]",
    ),
    click.option("--window", "event", metavar="START:STOP", help="Event window. [default: -10:10]"),
    click.option(
        "--car",
        "windows",
        metavar="START:STOP",
        multiple=True,
        help="A window to test; may be repeated, the first leads.",
    ),
    click.option(
        "--test",
        "tests",
        metavar="NAME",
        multiple=True,
        help="A further test to show; may be repeated. [default: all in tables, the usual ones in "
        "summaries]",
    ),
    click.option(
        "--by",
        metavar="COLUMN",
        help="Split by a column; the group with most rows that can be tested leads. "
        "[default: group or direction, if several; none = never]",
    ),
    click.option(
        "--kind", type=click.Choice(["simple", "log"]), help="Kind of returns. [default: simple]"
    ),
    click.option(
        "--engine",
        type=click.Choice(["statsmodels", "batch"]),
        help="How models are fitted. [default: statsmodels]",
    ),
    click.option(
        "--min-estimation",
        type=click.IntRange(1),
        metavar="DAYS",
        help="Flag events with fewer days. [default: 100]",
    ),
    click.option(
        "--halt",
        type=click.Choice(["calendar", "shift"]),
        help="Whether the clock runs through a halt, or day 0 is when trading resumes. [default: "
        "calendar]",
    ),
    click.option(
        "--limits",
        type=click.Choice(["extend", "none", "drop", "censored"]),
        help="A window that closes at a price limit: until the first free close, as it is, or out; "
        "censored: as extend, and a Tobit beta. [default: extend]",
    ),
    click.option(
        "--missing",
        type=click.Choice(["drop", "rescale", "zero"]),
        help="An event without all days of a window. [default: drop, from that window]",
    ),
    click.option(
        "--repeat",
        type=click.Choice(["mask", "first", "keep-all"]),
        help="Several events of one firm: mask their windows in estimation, keep the first. "
        "[default: mask]",
    ),
    click.option(
        "--confounders",
        metavar="FILE",
        help="Other news that may have moved prices: a CSV ticker,date,what.",
    ),
    click.option(
        "--confounder-days",
        type=click.IntRange(0),
        metavar="N",
        help="How near: sessions around the main window. [default: 1]",
    ),
    click.option(
        "--drop-confounded", is_flag=True, default=None, help="Leave events near such news out."
    ),
    click.option(
        "--placebo",
        type=click.IntRange(0),
        metavar="N",
        help="Repeat the study on N other dates, and on the firms in the column peers. [default: "
        "0]",
    ),
    click.option(
        "--regress",
        metavar="COLUMN",
        multiple=True,
        help="Regress the CARs on a column of the events; may be repeated.",
    ),
    click.option(
        "--regress-cov",
        type=click.Choice(["HC3", "HC0", "HC1", "HC2", "nonrobust", "date"]),
        help="Errors of that regression; date: clustered by event date. [default: HC3]",
    ),
    click.option(
        "--scar",
        type=click.Choice(["exact", "sum"]),
        help="How CARs are standardised. [default: exact]",
    ),
    click.option(
        "--fpc",
        is_flag=True,
        default=None,
        help="Rank tests of windows: finite-population correction.",
    ),
    click.option(
        "--overlap",
        type=click.Choice(["exact", "share"]),
        help="Weight of overlapping windows. [default: exact]",
    ),
    click.option(
        "--draws",
        type=click.IntRange(1),
        metavar="N",
        help="Draws of resampling tests. [default: 999]",
    ),
    click.option("--seed", type=click.IntRange(0), metavar="N", help="Seed of resampling tests."),
    click.option(
        "--event-pages",
        type=click.IntRange(0),
        metavar="N",
        help="Pages of single events: of the N that moved most. [default: 500]",
    ),
    click.option(
        "--interactive",
        is_flag=True,
        default=None,
        help="A page to explore beside the report (Plotly).",
    ),
    click.option(
        "--out", type=click.Path(path_type=Path), help="Folder of the runs. [default: reports]"
    ),
    click.option("--name", help="Name of the run. [default: name of the events file]"),
    click.option(
        "--config",
        "config_file",
        type=PATH,
        metavar="FILE.toml",
        help="Settings from a file; options win.",
    ),
    click.option("--offline", is_flag=True, default=None, help="Never use the network."),
    click.option(
        "--store",
        metavar="DIR|FILE",
        help="The store of prices. [default: $EVENTSTUDY_STORE, or the user's]",
    ),
    click.option(
        "--vintage", metavar="DATE", help="Only stored prices, as they were at that date or time."
    ),
    click.option(
        "--strict",
        is_flag=True,
        default=None,
        help="Exit with 3 if any event has no result for the main window.",
    ),
    click.option(
        "--max-loss",
        type=click.FloatRange(0, 1),
        metavar="SHARE",
        help="Exit with 3 if more than this share of the events has none.",
    ),
    click.option("--json", "as_json", is_flag=True, help="Print results as JSON."),
    click.option("--quiet", is_flag=True, help="Print nothing but problems."),
)


def study_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command all options of a study."""
    for option in reversed(STUDY_OPTIONS):
        command = option(command)
    return command
