"""Full references of the sources that models and tests name."""

from __future__ import annotations

import re
from collections.abc import Iterable

# By first author and year, in the order of a list of references: authors, title, journal and place.
REFERENCES: dict[tuple[str, str], tuple[str, str, str, str]] = {
    ("Bell", "2002"): (
        "Bell, R. M. and McCaffrey, D. F. (2002)",
        "Bias reduction in standard errors for linear regression with multi-stage samples",
        "Survey Methodology",
        "28, 169–181",
    ),
    ("Boehmer", "1991"): (
        "Boehmer, E., Musumeci, J. and Poulsen, A. B. (1991)",
        "Event-study methodology under conditions of event-induced variance",
        "Journal of Financial Economics",
        "30, 253–272",
    ),
    ("Brown", "1980"): (
        "Brown, S. J. and Warner, J. B. (1980)",
        "Measuring security price performance",
        "Journal of Financial Economics",
        "8, 205–258",
    ),
    ("Brown", "1985"): (
        "Brown, S. J. and Warner, J. B. (1985)",
        "Using daily stock returns: the case of event studies",
        "Journal of Financial Economics",
        "14, 3–31",
    ),
    ("Cameron", "2008"): (
        "Cameron, A. C., Gelbach, J. B. and Miller, D. L. (2008)",
        "Bootstrap-based improvements for inference with clustered errors",
        "Review of Economics and Statistics",
        "90, 414–427",
    ),
    ("Corrado", "1989"): (
        "Corrado, C. J. (1989)",
        "A nonparametric test for abnormal security-price performance in event studies",
        "Journal of Financial Economics",
        "23, 385–395",
    ),
    ("Corrado", "1992"): (
        "Corrado, C. J. and Zivney, T. L. (1992)",
        (
            "The specification and power of the sign test in event study hypothesis tests "
            "using daily stock returns"
        ),
        "Journal of Financial and Quantitative Analysis",
        "27, 465–478",
    ),
    ("Cowan", "1992"): (
        "Cowan, A. R. (1992)",
        "Nonparametric event study tests",
        "Review of Quantitative Finance and Accounting",
        "2, 343–358",
    ),
    ("Fama", "1969"): (
        "Fama, E. F., Fisher, L., Jensen, M. C. and Roll, R. (1969)",
        "The adjustment of stock prices to new information",
        "International Economic Review",
        "10, 1–21",
    ),
    ("Fama", "1998"): (
        "Fama, E. F. (1998)",
        "Market efficiency, long-term returns, and behavioral finance",
        "Journal of Financial Economics",
        "49, 283–306",
    ),
    ("Giaccotto", "1996"): (
        "Giaccotto, C. and Sfiridis, J. M. (1996)",
        "Hypothesis testing in event studies: the case of variance changes",
        "Journal of Economics and Business",
        "48, 349–370",
    ),
    ("Hall", "1992"): (
        "Hall, P. (1992)",
        "On the removal of skewness by transformation",
        "Journal of the Royal Statistical Society, Series B",
        "54, 221–228",
    ),
    ("Jaffe", "1974"): (
        "Jaffe, J. F. (1974)",
        "Special information and insider trading",
        "Journal of Business",
        "47, 410–428",
    ),
    ("Johnson", "1978"): (
        "Johnson, N. J. (1978)",
        "Modified t tests and confidence intervals for asymmetrical populations",
        "Journal of the American Statistical Association",
        "73, 536–544",
    ),
    ("Kolari", "2010"): (
        "Kolari, J. W. and Pynnönen, S. (2010)",
        "Event study testing with cross-sectional correlation of abnormal returns",
        "Review of Financial Studies",
        "23, 3996–4025",
    ),
    ("Kolari", "2011"): (
        "Kolari, J. W. and Pynnönen, S. (2011)",
        "Nonparametric rank tests for event studies",
        "Journal of Empirical Finance",
        "18, 953–971",
    ),
    ("Lyon", "1999"): (
        "Lyon, J. D., Barber, B. M. and Tsai, C.-L. (1999)",
        "Improved methods for tests of long-run abnormal stock returns",
        "Journal of Finance",
        "54, 165–201",
    ),
    ("MacKinlay", "1997"): (
        "MacKinlay, A. C. (1997)",
        "Event studies in economics and finance",
        "Journal of Economic Literature",
        "35, 13–39",
    ),
    ("Mandelker", "1974"): (
        "Mandelker, G. (1974)",
        "Risk and return: the case of merging firms",
        "Journal of Financial Economics",
        "1, 303–335",
    ),
    ("Mikkelson", "1988"): (
        "Mikkelson, W. H. and Partch, M. M. (1988)",
        "Withdrawn security offerings",
        "Journal of Financial and Quantitative Analysis",
        "23, 119–133",
    ),
    ("Patell", "1976"): (
        "Patell, J. M. (1976)",
        "Corporate forecasts of earnings per share and stock price behavior: empirical tests",
        "Journal of Accounting Research",
        "14, 246–276",
    ),
    ("Salinger", "1992"): (
        "Salinger, M. (1992)",
        "Standard errors in event studies",
        "Journal of Financial and Quantitative Analysis",
        "27, 39–53",
    ),
    ("Tukey", "1958"): (
        "Tukey, J. W. (1958)",
        "Bias and confidence in not-quite large samples (abstract)",
        "Annals of Mathematical Statistics",
        "29, 614",
    ),
    ("Wilcoxon", "1945"): (
        "Wilcoxon, F. (1945)",
        "Individual comparisons by ranking methods",
        "Biometrics Bulletin",
        "1, 80–83",
    ),
}


def references(sources: Iterable[str]) -> list[tuple[str, str, str, str]]:
    """Return the references that texts such as ``Brown and Warner (1980, 1985)`` name, in order."""
    named = {
        (authors.split(",")[0].split(" ")[0], year)
        for source in sources
        for authors, years in re.findall(r"([A-Z][^;()]*) \(([\d, ]+)\)", source)
        for year in re.findall(r"\d{4}", years)
    }
    return [entry for key, entry in REFERENCES.items() if key in named]
