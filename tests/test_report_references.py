"""Every source that the tool names has a full reference, as text and as BibTeX."""

from __future__ import annotations

import re

import pytest
from conftest import Market
from pages import findings

from eventstudy.models import MODELS
from eventstudy.report.formats.templating import formula
from eventstudy.report.tables.methods import (
    find_references,
    methods,
    read_bibliography,
    write_formula,
)
from eventstudy.significance import STATISTICS
from eventstudy.words.catalogue import sentences


def test_references_are_there_as_bibtex() -> None:
    (reference,) = find_references(["Kolari and Pynnönen (2010)"])
    assert reference.bibtex == "\n".join([
        "@article{kolari2010,",
        '  author = {Kolari, J. W. and Pynn{\\"o}nen, S.},',
        "  title = {{Event study testing with cross-sectional correlation of abnormal returns}},",
        "  journal = {Review of Financial Studies},", "  year = {2010},", "  volume = {23},",
        "  pages = {3996--4025},", "  doi = {10.1093/rfs/hhq072}", "}",
    ])  # fmt: skip
    assert reference.authors == "Kolari, J. W. and Pynnönen, S. (2010)"
    assert reference.place == "23, 3996–4025"
    section = methods(findings(Market(12).fit()))
    assert len(section.references) > 3


def test_the_file_is_read_in_full_and_in_order() -> None:
    entries = list(read_bibliography().values())
    assert all(entry.bibtex.isascii() for entry in entries)
    assert len(entries) == sum(entry.bibtex.count("@article{") for entry in entries)
    keys = [re.match(r"[a-z]+", entry.key)[0] for entry in entries]  # type: ignore[index]
    assert keys == sorted(keys)
    for entry in entries:
        doi = re.search(r"^  doi = \{(.*)\}$", entry.bibtex, re.M)
        assert doi is None or re.fullmatch(r"10\.\d{4}/[\w().:/-]+", doi[1]), entry.key
        assert re.search(r"[{}\\]|--", str(entry)) is None, entry.key
        assert re.fullmatch(r"[\w-]+(?: [\w-]+)*, .*\(\d{4}\)", entry.authors), entry.key
        assert entry.title[-1] in ".?"


def test_every_source_has_its_reference() -> None:
    for entry in STATISTICS.values():
        years = re.findall(r"\d{4}", entry.source)
        assert len(find_references([entry.source])) == len(years) > 0, entry.name
    for model in MODELS.values():
        years = re.findall(r"\d{4}", model.source)
        assert len(find_references([model.source])) == len(years), model.name
    authors = [
        reference.authors for reference in find_references(["Brown and Warner (1980, 1985)"])
    ]
    assert authors == [
        "Brown, S. J. and Warner, J. B. (1980)",
        "Brown, S. J. and Warner, J. B. (1985)",
    ]


def test_sentences_name_references_too() -> None:
    text = "After Holm (1979), Bell and McCaffrey (2002); (Theil 1950; Sen 1968)"
    assert [r.key for r in find_references([text])] == [
        "bell2002",
        "holm1979",
        "sen1968",
        "theil1950",
    ]


@pytest.mark.parametrize(
    "section", ["methods.", "practice.", "variance.", "covariance.", "errors."]
)
def test_every_year_in_the_methods_has_a_reference(section: str) -> None:
    texts = [text for code, text in sentences().items() if code.startswith(section)]
    years = {year for text in texts for year in re.findall(r"\b(?:19|20)\d\d\b", text)}
    listed = {reference.key[-4:] for reference in find_references(texts)}
    assert years == listed


def test_formulas_are_set_without_leftovers(model_name: str) -> None:
    formulas = [write_formula(MODELS[model_name].formula)]
    formulas += [text for code, text in sentences().items() if code.startswith("methods.var_car")]
    for text in formulas:
        plain = re.sub(
            r"</?(?:i|sub|sup)>", "", str(formula(text.replace("{{", "{").replace("}}", "}")))
        )
        assert not re.search(r"[_^<>{}]", plain), plain


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("h_t = w + a e^2_t-1",
         "<i>h</i><sub>t</sub> = w + a <i>e</i><sup>2</sup><sub>t−1</sub>"),
        ("sum_j w_ij R_m,t+j >= 0",
         "Σ<sub>j</sub> <i>w</i><sub>ij</sub> <i>R</i><sub>m,t+j</sub> ≥ 0"),
        ("b_i MKT_t", "<i>b</i><sub>i</sub> <i>MKT</i><sub>t</sub>"),
        ("E[R_it] = alpha_i + <b>",
         "E[<i>R</i><sub>it</sub>] = <i>α</i><sub>i</sub> + &lt;b&gt;"),
        ("Σ_{t∈W} AR_it", "Σ<sub>t∈W</sub> <i>AR</i><sub>it</sub>"),
    ],
)  # fmt: skip
def test_index_power_and_sum(text: str, html: str) -> None:
    assert str(formula(write_formula(text))) == html
