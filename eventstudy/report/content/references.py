"""Full references of the sources that models and tests name."""

from __future__ import annotations

import re
from collections.abc import Iterable

# By first author and year, in the order of a list of references: authors, title, journal and place.
REFERENCES: dict[tuple[str, str], tuple[str, str, str, str]] = {
    ("Abadie", "2010"): (
        "Abadie, A., Diamond, A. and Hainmueller, J. (2010)",
        "Synthetic control methods for comparative case studies",
        "Journal of the American Statistical Association",
        "105, 493–505",
    ),
    ("Barber", "1997"): (
        "Barber, B. M. and Lyon, J. D. (1997)",
        (
            "Detecting long-run abnormal stock returns: the empirical power and specification of "
            "test statistics"
        ),
        "Journal of Financial Economics",
        "43, 341–372",
    ),
    ("Bell", "2002"): (
        "Bell, R. M. and McCaffrey, D. F. (2002)",
        "Bias reduction in standard errors for linear regression with multi-stage samples",
        "Survey Methodology",
        "28, 169–181",
    ),
    ("Benjamini", "1995"): (
        "Benjamini, Y. and Hochberg, Y. (1995)",
        (
            "Controlling the false discovery rate: a practical and powerful approach to multiple "
            "testing"
        ),
        "Journal of the Royal Statistical Society, Series B",
        "57, 289–300",
    ),
    ("Benjamini", "2001"): (
        "Benjamini, Y. and Yekutieli, D. (2001)",
        "The control of the false discovery rate in multiple testing under dependency",
        "Annals of Statistics",
        "29, 1165–1188",
    ),
    ("Bertrand", "2004"): (
        "Bertrand, M., Duflo, E. and Mullainathan, S. (2004)",
        "How much should we trust differences-in-differences estimates?",
        "Quarterly Journal of Economics",
        "119, 249–275",
    ),
    ("Boehmer", "1991"): (
        "Boehmer, E., Musumeci, J. and Poulsen, A. B. (1991)",
        "Event-study methodology under conditions of event-induced variance",
        "Journal of Financial Economics",
        "30, 253–272",
    ),
    ("Bollerslev", "1986"): (
        "Bollerslev, T. (1986)",
        "Generalized autoregressive conditional heteroskedasticity",
        "Journal of Econometrics",
        "31, 307–327",
    ),
    ("Brown", "1974"): (
        "Brown, M. B. and Forsythe, A. B. (1974)",
        "Robust tests for the equality of variances",
        "Journal of the American Statistical Association",
        "69, 364–367",
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
    ("Campbell", "1996"): (
        "Campbell, C. J. and Wasley, C. E. (1996)",
        (
            "Measuring abnormal daily trading volume for samples of NYSE/ASE and NASDAQ "
            "securities using "
            "parametric and nonparametric test statistics"
        ),
        "Review of Quantitative Finance and Accounting",
        "6, 309–326",
    ),
    ("Carhart", "1997"): (
        "Carhart, M. M. (1997)",
        "On persistence in mutual fund performance",
        "Journal of Finance",
        "52, 57–82",
    ),
    ("Chou", "1997"): (
        "Chou, P.-H. (1997)",
        (
            "A Gibbs sampling approach to the estimation of linear regression models under daily "
            "price limits"
        ),
        "Pacific-Basin Finance Journal",
        "5, 39–62",
    ),
    ("Chow", "1960"): (
        "Chow, G. C. (1960)",
        "Tests of equality between sets of coefficients in two linear regressions",
        "Econometrica",
        "28, 591–605",
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
    ("Dimson", "1979"): (
        "Dimson, E. (1979)",
        "Risk measurement when shares are subject to infrequent trading",
        "Journal of Financial Economics",
        "7, 197–226",
    ),
    ("Dixon", "1946"): (
        "Dixon, W. J. and Mood, A. M. (1946)",
        "The statistical sign test",
        "Journal of the American Statistical Association",
        "41, 557–566",
    ),
    ("Dombrow", "2000"): (
        "Dombrow, J., Rodriguez, M. and Sirmans, C. F. (2000)",
        "A complete nonparametric event study approach",
        "Review of Quantitative Finance and Accounting",
        "14, 361–380",
    ),
    ("Fama", "1969"): (
        "Fama, E. F., Fisher, L., Jensen, M. C. and Roll, R. (1969)",
        "The adjustment of stock prices to new information",
        "International Economic Review",
        "10, 1–21",
    ),
    ("Fama", "1993"): (
        "Fama, E. F. and French, K. R. (1993)",
        "Common risk factors in the returns on stocks and bonds",
        "Journal of Financial Economics",
        "33, 3–56",
    ),
    ("Fama", "1998"): (
        "Fama, E. F. (1998)",
        "Market efficiency, long-term returns, and behavioral finance",
        "Journal of Financial Economics",
        "49, 283–306",
    ),
    ("Fama", "2015"): (
        "Fama, E. F. and French, K. R. (2015)",
        "A five-factor asset pricing model",
        "Journal of Financial Economics",
        "116, 1–22",
    ),
    ("Gelbach", "2013"): (
        "Gelbach, J. B., Helland, E. and Klick, J. (2013)",
        "Valid inference in single-firm, single-event studies",
        "American Law and Economics Review",
        "15, 495–541",
    ),
    ("Giaccotto", "1996"): (
        "Giaccotto, C. and Sfiridis, J. M. (1996)",
        "Hypothesis testing in event studies: the case of variance changes",
        "Journal of Economics and Business",
        "48, 349–370",
    ),
    ("Glosten", "1993"): (
        "Glosten, L. R., Jagannathan, R. and Runkle, D. E. (1993)",
        (
            "On the relation between the expected value and the volatility of the nominal excess "
            "return "
            "on stocks"
        ),
        "Journal of Finance",
        "48, 1779–1801",
    ),
    ("Hall", "1992"): (
        "Hall, P. (1992)",
        "On the removal of skewness by transformation",
        "Journal of the Royal Statistical Society, Series B",
        "54, 221–228",
    ),
    ("Holm", "1979"): (
        "Holm, S. (1979)",
        "A simple sequentially rejective multiple test procedure",
        "Scandinavian Journal of Statistics",
        "6, 65–70",
    ),
    ("Huber", "1964"): (
        "Huber, P. J. (1964)",
        "Robust estimation of a location parameter",
        "Annals of Mathematical Statistics",
        "35, 73–101",
    ),
    ("Huber", "1973"): (
        "Huber, P. J. (1973)",
        "Robust regression: asymptotics, conjectures and Monte Carlo",
        "Annals of Statistics",
        "1, 799–821",
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
    ("King", "1966"): (
        "King, B. F. (1966)",
        "Market and industry factors in stock price behavior",
        "Journal of Business",
        "39, 139–190",
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
    ("Lintner", "1965"): (
        "Lintner, J. (1965)",
        (
            "The valuation of risk assets and the selection of risky investments in stock "
            "portfolios "
            "and capital budgets"
        ),
        "Review of Economics and Statistics",
        "47, 13–37",
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
    ("MacKinnon", "1985"): (
        "MacKinnon, J. G. and White, H. (1985)",
        (
            "Some heteroskedasticity-consistent covariance matrix estimators "
            "with improved finite sample properties"
        ),
        "Journal of Econometrics",
        "29, 305–325",
    ),
    ("Mandelker", "1974"): (
        "Mandelker, G. (1974)",
        "Risk and return: the case of merging firms",
        "Journal of Financial Economics",
        "1, 303–335",
    ),
    ("Maynes", "1993"): (
        "Maynes, E. and Rumsey, J. (1993)",
        "Conducting event studies with thinly traded stocks",
        "Journal of Banking & Finance",
        "17, 145–157",
    ),
    ("Mikkelson", "1988"): (
        "Mikkelson, W. H. and Partch, M. M. (1988)",
        "Withdrawn security offerings",
        "Journal of Financial and Quantitative Analysis",
        "23, 119–133",
    ),
    ("Nelson", "1991"): (
        "Nelson, D. B. (1991)",
        "Conditional heteroskedasticity in asset returns: a new approach",
        "Econometrica",
        "59, 347–370",
    ),
    ("Newey", "1987"): (
        "Newey, W. K. and West, K. D. (1987)",
        (
            "A simple, positive semi-definite, heteroskedasticity "
            "and autocorrelation consistent covariance matrix"
        ),
        "Econometrica",
        "55, 703–708",
    ),
    ("Parkinson", "1980"): (
        "Parkinson, M. (1980)",
        "The extreme value method for estimating the variance of the rate of return",
        "Journal of Business",
        "53, 61–65",
    ),
    ("Patell", "1976"): (
        "Patell, J. M. (1976)",
        "Corporate forecasts of earnings per share and stock price behavior: empirical tests",
        "Journal of Accounting Research",
        "14, 246–276",
    ),
    ("Rao", "1951"): (
        "Rao, C. R. (1951)",
        "An asymptotic expansion of the distribution of Wilks' criterion",
        "Bulletin of the International Statistical Institute",
        "33, 177–180",
    ),
    ("Romano", "2005"): (
        "Romano, J. P. and Wolf, M. (2005)",
        "Stepwise multiple testing as formalized data snooping",
        "Econometrica",
        "73, 1237–1282",
    ),
    ("Romano", "2016"): (
        "Romano, J. P. and Wolf, M. (2016)",
        "Efficient computation of adjusted p-values for resampling-based stepdown multiple testing",
        "Statistics and Probability Letters",
        "113, 38–40",
    ),
    ("Ross", "1976"): (
        "Ross, S. A. (1976)",
        "The arbitrage theory of capital asset pricing",
        "Journal of Economic Theory",
        "13, 341–360",
    ),
    ("Salinger", "1992"): (
        "Salinger, M. (1992)",
        "Standard errors in event studies",
        "Journal of Financial and Quantitative Analysis",
        "27, 39–53",
    ),
    ("Savickas", "2003"): (
        "Savickas, R. (2003)",
        "Event-induced volatility and tests for abnormal performance",
        "Journal of Financial Research",
        "26, 165–178",
    ),
    ("Schipper", "1983"): (
        "Schipper, K. and Thompson, R. (1983)",
        "The impact of merger-related regulations on the shareholders of acquiring firms",
        "Journal of Accounting Research",
        "21, 184–221",
    ),
    ("Scholes", "1977"): (
        "Scholes, M. and Williams, J. (1977)",
        "Estimating betas from nonsynchronous data",
        "Journal of Financial Economics",
        "5, 309–327",
    ),
    ("Sen", "1968"): (
        "Sen, P. K. (1968)",
        "Estimates of the regression coefficient based on Kendall's tau",
        "Journal of the American Statistical Association",
        "63, 1379–1389",
    ),
    ("Sharpe", "1964"): (
        "Sharpe, W. F. (1964)",
        "Capital asset prices: a theory of market equilibrium under conditions of risk",
        "Journal of Finance",
        "19, 425–442",
    ),
    ("Solnik", "1974"): (
        "Solnik, B. H. (1974)",
        "An equilibrium model of the international capital market",
        "Journal of Economic Theory",
        "8, 500–524",
    ),
    ("Theil", "1950"): (
        "Theil, H. (1950)",
        "A rank-invariant method of linear and polynomial regression analysis",
        "Proceedings of the Koninklijke Nederlandse Akademie van Wetenschappen",
        "53, 386–392, 521–525, 1397–1412",
    ),
    ("Tobin", "1958"): (
        "Tobin, J. (1958)",
        "Estimation of relationships for limited dependent variables",
        "Econometrica",
        "26, 24–36",
    ),
    ("Tukey", "1958"): (
        "Tukey, J. W. (1958)",
        "Bias and confidence in not-quite large samples (abstract)",
        "Annals of Mathematical Statistics",
        "29, 614",
    ),
    ("Welch", "1947"): (
        "Welch, B. L. (1947)",
        (
            "The generalization of 'Student's' problem when several different population variances "
            "are involved"
        ),
        "Biometrika",
        "34, 28–35",
    ),
    ("White", "1980"): (
        "White, H. (1980)",
        (
            "A heteroskedasticity-consistent covariance matrix estimator "
            "and a direct test for heteroskedasticity"
        ),
        "Econometrica",
        "48, 817–838",
    ),
    ("Wilcoxon", "1945"): (
        "Wilcoxon, F. (1945)",
        "Individual comparisons by ranking methods",
        "Biometrics Bulletin",
        "1, 80–83",
    ),
    ("Wilks", "1932"): (
        "Wilks, S. S. (1932)",
        "Certain generalizations in the analysis of variance",
        "Biometrika",
        "24, 471–494",
    ),
}

# Surnames, joined by commas and "and", before years; the first of them is kept.
_CITED = re.compile(r"([A-Z][\w-]*)(?:(?:, | and )[A-Z][\w-]*)* (\((?:\d{4}(?:, )?)+\)|\d{4}\b)")


def references(sources: Iterable[str]) -> list[tuple[str, str, str, str]]:
    """Return the references that texts name, as ``Brown and Warner (1980, 1985)`` or ``(Tobin
    1958)``."""
    named = {
        (first, year)
        for source in sources
        for first, years in _CITED.findall(source)
        for year in re.findall(r"\d{4}", years)
    }
    return [entry for key, entry in REFERENCES.items() if key in named]


def bibtex(entries: Iterable[tuple[str, str, str, str]]) -> str:
    """Return references as BibTeX: one ``@article`` each, keyed ``kolari2010``, in plain ASCII."""
    return "\n\n".join(_article(*entry) for entry in entries)


def _article(authors: str, title: str, journal: str, place: str) -> str:
    names, _, year = authors.removesuffix(")").rpartition(" (")
    people = re.split(r"(?<=\.), | and ", names)
    volume, _, pages = place.partition(", ")
    fields = {
        "author": " and ".join(people), "title": f"{{{title}}}", "journal": journal, "year": year,
        "volume": volume, "pages": pages.replace("–", "--"),
    }  # fmt: skip
    lines = ",\n".join(f"  {name} = {{{_tex(value)}}}" for name, value in fields.items())
    return f"@article{{{people[0].split(',')[0].lower()}{year},\n{lines}\n}}"


def _tex(text: str) -> str:
    return text.replace("&", r"\&").replace("ö", r"{\"o}")
