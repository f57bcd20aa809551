"""Which announcements an answer does not speak of, and the largest fall of a price among them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from ...calendars import Exchange, Window
from ...fitting import MERGED, SUSPECT, FittedStudy, day0_to_come
from ...utility import BoolArray, Day, ObjectArray
from ...words import cell_text

# With a larger share of the announcements missing, that is what travels with the answer.
MOST_MISSING = 0.2
# With so large a share of its announcements missing the answer is not about an exchange.
LOST_PLACE = 0.8
# So many sessions in a row without a price are a suspension; fewer may be holes in the data.
SUSPENSION = 5
# What a dropped event lacks, by the code of its reason.
LACKS: Mapping[str, str] = {
    "no_data": "prices", "no_data_on_day0": "prices", "no_abnormal_return": "days",
    "no_data_for": "index", "no_data_on_day0_for": "index", "no_benchmark": "index",
    "few_days": "history", "confounded": "confounded", "overlapped": "overlapped",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fall:
    """The fall of the price of a share whose announcement is not in the answer.

    Attributes
    ----------
    event_id, ticker, firm : str
    day0 : str
        ISO date.
    is_only : bool
        Whether the study has no other event of this share.
    lack : str
        Why the announcement is not in the answer: a code below ``[caveat.lack]``.
    change : float
        Change of the price (decimal) from the last close before the window to the close on its last
        day, to the first later close that is not at a price limit, or to the last close of a
        series that ends in the window. It is no abnormal return.
    first, last : str
        ISO dates of these two closes.
    stopped, resumed : str
        ISO dates of the closes before and after the longest time without a price in between.
    n_idle : int
        Number of sessions without a price in this time.
    """

    event_id: str
    ticker: str
    firm: str
    day0: str
    is_only: bool
    lack: str
    change: float
    first: Day
    last: Day
    stopped: str
    resumed: str
    n_idle: int

    @classmethod
    def of(cls, study: FittedStudy, i: int, window: Window) -> Fall | None:
        """Return what became of the price of one event over a window, and over a suspension in it.

        Parameters
        ----------
        study : FittedStudy
        i : int
            Row of the event.
        window : Window

        Returns
        -------
        Fall or None
            It lacks days, or was suspended if more than four sessions in a row have no
            price, or its series ended. None without a price before the window or after it, where
            a move in between may be an error in the data, and for measures other than returns.
            A series that ended has no later price that tells a fall from an error.
        """
        panel, event = study.panel, study.records[i]
        ticker = str(event["ticker"])
        calendar = panel.calendar_of(str(event["exchange"]))
        row = panel.row(ticker, calendar)
        if row < 0 or panel.measure != "return":
            return None
        columns = panel.calendars[calendar]
        sessions = panel.sessions[columns]
        spans = panel.spans[row, columns]
        day0 = int(np.searchsorted(sessions, np.datetime64(event["day0"], "D")))
        start = day0 + window.start
        stop = day0 + window.stop
        is_free = spans > 0
        if panel.limits is not None:
            is_free &= panel.limits[row, columns] == 0
        free = np.flatnonzero(is_free[max(stop, 0) :]) + stop
        faults = panel.faults_near(ticker, sessions[0], sessions[-1])
        ended = not len(free) and any(fault.kind == "ended" for fault in faults)
        if ended:
            free = np.flatnonzero(spans[start:] > 0)[-1:] + start
        if start < 1 or not len(free):
            return None
        priced = np.flatnonzero(spans[start : free[0] + 1] > 0) + start
        before = priced - spans[priced]
        # Each return goes on from the close of the one before it, the first from before the window.
        if not 0 <= before[0] < start or (before[1:] != priced[:-1]).any():
            return None
        near = panel.faults_near(ticker, sessions[before[0]], sessions[free[0]])
        if not ended and any(fault.kind in SUSPECT for fault in near):
            return None
        values = panel.values[row, columns[priced]]
        change = np.expm1(values.sum()) if panel.kind == "log" else np.prod(1 + values) - 1
        gap = int(spans[priced].argmax())
        n_idle = int(spans[priced[gap]]) - 1
        ends = (before[0], free[0], before[gap], priced[gap])
        first, last, stopped, resumed = (str(sessions[at]) for at in ends)
        expected = study.abnormal.expected[i, study.abnormal.columns(window)]
        complete = "index" if np.isnan(expected).any() else "limit"
        lack = "suspended" if n_idle >= SUSPENSION else "days" if n_idle else complete
        return Fall(
            event_id=str(event["event_id"]), ticker=ticker,
            firm=cell_text(event.get("company")) or ticker,
            day0=str(sessions[day0]), is_only=True,
            lack="ended" if ended else lack,
            change=float(change), first=first, last=last, stopped=stopped, resumed=resumed,
            n_idle=n_idle,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """The exchange that most of the missing announcements are of.

    Attributes
    ----------
    name : str
        Such as ``Moscow``.
    n_missing, n_used : int
        Its announcements that are missing, and those in the answer.
    """

    name: str
    n_missing: int
    n_used: int

    @classmethod
    def of(cls, study: FittedStudy, missing: list[int], used: BoolArray) -> Place | None:
        """Return the place with at least half of the missing announcements, and most of its own.

        Parameters
        ----------
        study : FittedStudy
        missing : list of int
            Rows of the announcements that are not in the answer.
        used : (n,) bool array
            Whether each announcement is.

        Returns
        -------
        Place or None
            None for fewer than two of them, and where all announcements are of one place.
        """
        codes = study.events["exchange"].astype(str).to_numpy()
        counts = Counter(codes[missing].tolist())
        code, n = counts.most_common(1)[0] if counts else ("", 0)
        n_used = int((used & (codes == code)).sum())
        is_most = n > 1 and 2 * n >= len(missing) and n >= LOST_PLACE * (n + n_used)
        if Exchange.of_code(code) is None or not is_most or (codes == code).all():
            return None
        return cls(cls.name_of(code), n, n_used)

    @staticmethod
    def name_of(code: str) -> str:
        """Return the name of an exchange in short, or the code of one that is not known."""
        exchange = Exchange.of_code(code)
        return exchange.name.partition(" (")[0] if exchange else code


@dataclass(frozen=True, slots=True)
class Missing:
    """The announcements of a sample that are not in its answer.

    Attributes
    ----------
    n_listed : int
        Announcements of the sample, used or not; one with several rows in the list counts once.
    lacks : mapping of str to int
        What they lack, as codes below ``[caveat.lack]``, and how many lack it; the most first.
    fall : Fall, optional
        The largest fall among them; None where a fall in the answer is larger, and without prices.
    place : Place, optional
        The exchange that most of them are of, and that the answer says little of.
    by_place : mapping of str to mapping of str to int
        By exchange, the one with most announcements first: how many are ``used``, and how many lack
        what; ``day0`` where there are prices, but not on day 0. Over the main window alone.
    """

    # Reasons of announcements that are in the answer all the same, by another row of the list.
    TWINS: ClassVar[tuple[str, ...]] = (*MERGED, "other_listing")

    n_listed: int
    lacks: Mapping[str, int]
    fall: Fall | None = None
    place: Place | None = None
    by_place: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many announcements are missing."""
        return sum(self.lacks.values())

    @classmethod
    def of(cls, study: FittedStudy, window: Window) -> Missing:
        """Return the announcements of a study that are not in its answer over a window.

        Parameters
        ----------
        study : FittedStudy
        window : Window

        Returns
        -------
        Missing
            Its fall is larger than each fall in the answer, both as CAR and by ``Fall.of``. It
            is looked for over the main window alone, and not in a study too large to be listed.
        """
        listed = study.remember("announcements", lambda: _Listed.of(study))
        is_in = study.abnormal.in_tests(window)
        within = np.where(study.abnormal.valid(window), "history", "days")
        lacking = np.where(study.ok, within, listed.lacks)
        missing = np.flatnonzero(~is_in & ~listed.is_aside).tolist()
        falls = list[Fall]()
        has_fall = window == study.main and not study.is_large
        for i in missing if has_fall else ():
            lack = lacking[i]
            fall = Fall.of(study, i, window) if lack != "prices" else None
            if fall is not None and (fall.lack != "ended" or lack == "days"):
                lacking[i] = fall.lack if lack == "days" else lack
                falls.append(replace(fall, lack=lacking[i]))
        by_place: dict[str, Counter[str]] = defaultdict(Counter)
        for name, n in Counter(listed.places[is_in].tolist()).items():
            by_place[name]["used"] = n
        kinds = np.where(listed.is_without_day0, "day0", lacking)[missing]
        pairs = zip(listed.places[missing].tolist(), kinds.tolist(), strict=True)
        for (name, kind), n in Counter(pairs).items():
            by_place[name][kind] = n
        lacks = Counter[str](lacking[missing].tolist())
        largest = min(falls, key=lambda fall: fall.change, default=None)
        if largest is not None:
            is_only = (study.events["ticker"] == largest.ticker).sum() == 1
            largest = replace(largest, is_only=bool(is_only))
            largest = largest if _exceeds(largest, study, window) else None
        place = Place.of(study, missing, is_in)
        names = sorted(by_place, key=lambda name: (-by_place[name].total(), name))
        shown = {name: dict(by_place[name]) for name in names if window == study.main}
        n_listed = int((~listed.is_aside).sum())
        return Missing(n_listed, dict(lacks.most_common()), largest, place, shown)


@dataclass(frozen=True, slots=True)
class _Listed:
    """What the announcements of a study are over each window, an array (n,) each.

    Attributes
    ----------
    places : ObjectArray
        Names of their exchanges.
    lacks : ObjectArray
        What a dropped one lacks.
    is_without_day0 : BoolArray
        Whether there are prices, but not on day 0.
    is_aside : BoolArray
        Whether one is in the answer by another row of the list, or waits for its day 0.
    """

    places: ObjectArray
    lacks: ObjectArray
    is_without_day0: BoolArray
    is_aside: BoolArray

    @classmethod
    def of(cls, study: FittedStudy) -> _Listed:
        exchanges = study.events["exchange"].astype(str)
        names = {code: Place.name_of(code) for code in exchanges.unique()}
        codes = [getattr(reason, "code", "") for reason in study.events["reason"]]
        return cls(
            places=exchanges.map(names).to_numpy(object),
            lacks=np.array([LACKS.get(code, "other") for code in codes], dtype=object),
            is_without_day0=np.array([code == "no_data_on_day0" for code in codes], dtype=bool),
            is_aside=np.isin(codes, Missing.TWINS) | day0_to_come(study),
        )


def _exceeds(fall: Fall, study: FittedStudy, window: Window) -> bool:
    """Return whether a fall is larger than each fall in the answer over a window."""
    rows = np.flatnonzero(study.abnormal.in_tests(window))
    if fall.change >= min(0.0, float(study.abnormal.car(window)[rows].min())):
        return False
    changes = (Fall.of(study, i, window) for i in rows.tolist())
    return all(change is None or change.change > fall.change for change in changes)
