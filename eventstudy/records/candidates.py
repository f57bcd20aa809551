"""Candidates: somebody named in an action, with a share that may be theirs."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property

from .clocks import Clock, TimeBasis
from .names import Listing, Names, fold
from .tickers import is_isin, symbol_of
from .types import Action, Named
from .white_house import DatedPage


class Match(StrEnum):
    """How a share was found.

    Attributes
    ----------
    IDENTIFIER
        The record prints its ticker or its ISIN.
    SAME
        A names file has a share of the same name, or of one that the company had.
    SIMILAR
        A names file has similar names: a hint for a person, and no ticker.
    NONE
        Nothing.
    """

    IDENTIFIER = "identifier"
    SAME = "same name"
    SIMILAR = "similar name"
    NONE = "none"


@dataclass(frozen=True)
class Candidate:
    """Somebody named in an action, and one listing that may be theirs.

    Attributes
    ----------
    named : Named
        As the record has it.
    ticker : str
        Filled in for `Match.IDENTIFIER` and `Match.SAME` alone.
    match : Match
    clock : Clock
        When the action was public at the latest, by whichever document says the earliest.
    proof : Named
        The entry whose excerpt is the evidence: that of the document which gives the time.
    alternatives : tuple of str
        Similar names with their symbols, and listings in other markets.
    not_listed_then : str
        First day of trading, where that is after the action.
    """

    named: Named
    ticker: str
    match: Match
    clock: Clock
    proof: Named
    alternatives: tuple[str, ...] = ()
    not_listed_then: str = ""

    @property
    def action(self) -> Action:
        """The action that names it."""
        return self.named.action

    @property
    def firm(self) -> str:
        """What tells it from others in its action: the authority's number of it, else its name."""
        return self.named.number or fold(self.named.name)

    @cached_property
    def id(self) -> str:
        """``c`` and twelve hexadecimal digits, the same on every reading."""
        action = self.action
        parts = (action.source, action.key, action.verb, self.firm, self.ticker)
        return f"c{_digest(parts)[:12]}"

    @cached_property
    def evidence(self) -> str:
        """Hash of names, numbers, excerpts and dates; what else a page has is no part of it."""
        action, named = self.action, self.named
        dates = (self.clock.public_by, self.clock.basis, action.effective_on, action.printed_on)
        numbers = sorted(named.identifiers.items())
        names = (named.name, named.former_names, named.other_names)
        return _digest((*names, numbers, named.excerpt, self.proof.excerpt, *dates))

    @property
    def announced_at(self) -> str:
        """When it was public at the latest, as a cell of an events file; "" where unknown."""
        return self.clock.cell

    @property
    def tz(self) -> str:
        """Zone of `announced_at`, where that is a date."""
        return self.proof.action.tz

    @property
    def day(self) -> dt.date:
        """The day of the action where its authority is; the last of all where none is known."""
        public_by = self.clock.public_by
        if isinstance(public_by, dt.datetime):
            return public_by.date()
        return public_by or dt.date.max


def find_candidates(
    named: Iterable[Named], pages: Sequence[DatedPage], names: Names, decided: Collection[str] = ()
) -> list[Candidate]:
    """Return a candidate for each listing of each company, in order of day, list, name and ticker.

    Parameters
    ----------
    named : iterable of Named
        Of all sources. Persons are passed over, and no share is looked for where a body is named.
    pages : sequence of Page
        What may give an earlier time than a list does.
    names : Names
        The user's names files.
    decided : collection of str
        Ids of candidates that were decided on. One that had no share then keeps its id, though a
        names file has a share of that name now.
    """
    by_day: dict[dt.date, list[DatedPage]] = {}
    for page in pages:
        claimed = page.action.claimed
        if isinstance(claimed, dt.datetime):
            by_day.setdefault(claimed.date(), []).append(page)
    found: dict[str, Candidate] = {}
    for entry in named:
        if entry.kind != "person":
            clock, proof = _first_public(entry, by_day)
            unlisted = Candidate(entry, "", Match.SIMILAR, clock, proof)
            for candidate in _listings(entry, clock, proof, names):
                if candidate.match is Match.SAME and unlisted.id in decided:
                    hint = (*unlisted.alternatives, f"{candidate.ticker} (same name)")
                    candidate = unlisted = replace(unlisted, alternatives=hint)
                found[candidate.id] = candidate
    return sorted(found.values(), key=_place)


def _place(candidate: Candidate) -> tuple[object, ...]:
    action, named = candidate.action, candidate.named
    return candidate.day, action.source, action.key, fold(named.name), candidate.ticker


def _first_public(
    entry: Named, pages: Mapping[dt.date, Sequence[DatedPage]]
) -> tuple[Clock, Named]:
    """Return the earliest clock of an entry, and the entry of the document that shows it."""
    clock, claimed = Clock.of(entry.action), entry.action.claimed
    if claimed is None or isinstance(claimed, dt.datetime) or entry.action.verb != "added":
        return clock, entry
    first = clock, entry
    for page in pages.get(claimed, ()):
        page_clock = Clock.of(page.action)
        proof = page.mention(entry)
        if proof is None or page_clock.basis is TimeBasis.CONTRADICTED:
            continue
        if first[1] is entry or str(page_clock.public_by) < str(first[0].public_by):
            first = page_clock, proof
    return first


def _listings(entry: Named, clock: Clock, proof: Named, names: Names) -> Iterator[Candidate]:
    """Yield a candidate for each share of an entry, or one without a share."""
    printed = entry.identifiers.get("ticker", ())
    found = {symbol: Match.IDENTIFIER for symbol in map(symbol_of, printed) if symbol}
    for isin in filter(is_isin, entry.identifiers.get("isin", ())):
        if listing := names.of_isin(isin):
            found.setdefault(listing.symbol, Match.IDENTIFIER)
    elsewhere = tuple(" ".join(ticker.split()) for ticker in printed if not symbol_of(ticker))
    if entry.kind == "body" and not found:
        yield Candidate(entry, "", Match.NONE, clock, proof)
        return
    if not found:
        same = names.same((entry.name, *entry.former_names))
        found = {listing.symbol: Match.SAME for listing in same}
    if not found:
        similar = tuple(f"{one.symbol} {one.name}" for one in names.similar(entry.name))
        match = Match.SIMILAR if similar else Match.NONE
        yield Candidate(entry, "", match, clock, proof, (*similar, *elsewhere))
    for symbol, match in found.items():
        began = _begun_later(names.of_symbol(symbol), clock)
        if began:
            hint = (f"{symbol} (not listed then)", *elsewhere)
            yield Candidate(entry, "", match, clock, proof, hint, began)
        else:
            yield Candidate(entry, symbol, match, clock, proof, elsewhere)


def _begun_later(listing: Listing | None, clock: Clock) -> str:
    """Return the first day of a share that began to trade after the action, or ""."""
    public_by = clock.public_by
    if listing is None or not listing.first_day or public_by is None:
        return ""
    is_later = listing.first_day > public_by.isoformat()[:10]
    return listing.first_day if is_later else ""


def _digest(parts: Iterable[object]) -> str:
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()
