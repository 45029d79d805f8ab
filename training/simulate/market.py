"""The market: sources, companies and people as they are in every simulated world.

Effects are log-odds of ever winning; shares are relative weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.int16]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Source:
    """Where leads come from, and what is usual for them.

    Attributes
    ----------
    share, share_drift : float
        Weight among the sources; its growth in log per year at structural drift 1.
    effect, effect_drift : float
        Log-odds; its change per year at structural drift 1.
    mean_visits : float
        Website visits in the 90 days before creation.
    has_form : bool
        Whether the lead is created by a form on the website.
    demo_share, newsletter_share, freemail_share : float
        Usual shares.
    response_hours : float
        Median hours until sales first responds.
    delay_log : float
        Shift of the logarithm of the delay to a win.
    """

    name: str
    share: float
    share_drift: float
    effect: float
    effect_drift: float
    mean_visits: float
    has_form: bool
    demo_share: float
    newsletter_share: float
    freemail_share: float
    response_hours: float
    delay_log: float


SOURCES = (
    Source("trade_fair", 0.14, -0.3, 0.55, -0.5, 1.0, False, 0.05, 0.35, 0.03, 40.0, 0.25),
    Source("webinar", 0.13, 0.1, 0.05, 0.0, 2.4, True, 0.08, 0.60, 0.10, 26.0, 0.10),
    Source("google_ads", 0.17, 0.0, -0.20, -0.6, 2.0, True, 0.16, 0.20, 0.24, 14.0, -0.20),
    Source("linkedin", 0.12, 0.6, -0.35, 0.8, 1.4, True, 0.10, 0.25, 0.12, 20.0, 0.05),
    Source("referral", 0.06, 0.0, 0.90, 0.0, 1.5, False, 0.14, 0.25, 0.05, 8.0, -0.30),
    Source("organic_search", 0.14, 0.0, 0.20, 0.0, 3.0, True, 0.18, 0.22, 0.20, 14.0, -0.10),
    Source("partner", 0.06, 0.0, 0.60, 0.0, 1.0, False, 0.10, 0.15, 0.02, 12.0, -0.10),
    Source("cold_list", 0.06, -0.2, -0.20, 0.0, 0.1, False, 0.01, 0.03, 0.02, 70.0, 0.30),
    Source("content_download", 0.12, 0.1, -0.45, 0.0, 2.2, True, 0.04, 0.55, 0.22, 48.0, 0.15),
)
SOURCE_NAMES = tuple(source.name for source in SOURCES)


@dataclass(frozen=True, slots=True)
class Levels:
    """The levels of a category with their shares and effects, in one order."""

    names: tuple[str, ...]
    shares: Floats
    effects: Floats

    def draw(self, rng: np.random.Generator, n: int) -> Codes:
        """Codes of `n` levels drawn by their shares, shape `(n,)`."""
        return rng.choice(len(self.names), size=n, p=self.shares).astype(np.int16)

    def code(self, name: str) -> int:
        """The code of a level."""
        return self.names.index(name)


def _levels(*rows: tuple[str, float, float]) -> Levels:
    names, shares, effects = zip(*rows, strict=True)
    weights = np.array(shares, dtype=np.float64)
    return Levels(tuple(names), weights / weights.sum(), np.array(effects, dtype=np.float64))


INDUSTRIES = _levels(
    ("mechanical_engineering", 20, 0.35),
    ("automotive", 12, 0.15),
    ("electrical_engineering", 10, 0.25),
    ("chemicals_pharma", 8, 0.20),
    ("food", 7, 0.05),
    ("logistics", 9, -0.10),
    ("construction", 8, -0.25),
    ("energy", 5, 0.10),
    ("it_services", 8, -0.30),
    ("healthcare", 5, -0.15),
    ("public_sector", 4, -0.50),
    ("retail", 4, -0.40),
)
# The median number of employees by industry, in the order of INDUSTRIES.
MEDIAN_EMPLOYEES = np.array([140.0, 320, 120, 260, 130, 90, 45, 160, 40, 180, 400, 60])

COUNTRIES = _levels(("DE", 84, 0.0), ("AT", 9, 0.10), ("CH", 7, -0.20))

# Shares follow the number of companies; the effects are small on purpose.
REGIONS = _levels(
    ("Baden-Württemberg", 15, 0.12),
    ("Bayern", 19, 0.10),
    ("Berlin", 5, -0.08),
    ("Brandenburg", 2.5, -0.04),
    ("Bremen", 0.8, 0.0),
    ("Hamburg", 3.2, -0.05),
    ("Hessen", 8, 0.02),
    ("Mecklenburg-Vorpommern", 1.6, -0.05),
    ("Niedersachsen", 8.5, 0.03),
    ("Nordrhein-Westfalen", 20, 0.05),
    ("Rheinland-Pfalz", 4.6, 0.0),
    ("Saarland", 1, 0.0),
    ("Sachsen", 4.2, 0.02),
    ("Sachsen-Anhalt", 1.9, -0.03),
    ("Schleswig-Holstein", 3.2, -0.02),
    ("Thüringen", 2, 0.0),
)

JOB_LEVELS = _levels(
    ("executive", 12, 0.30),
    ("head_of_department", 22, 0.35),
    ("team_lead", 21, 0.15),
    ("specialist", 35, -0.10),
    ("trainee_or_student", 10, -1.10),
)
JOB_FUNCTIONS = _levels(
    ("production", 20, 0.25),
    ("engineering", 19, 0.20),
    ("purchasing", 15, 0.10),
    ("it", 13, 0.0),
    ("general_management", 12, 0.10),
    ("quality", 8, 0.05),
    ("marketing_sales", 7, -0.40),
    ("finance", 3, -0.20),
    ("human_resources", 3, -0.60),
)
PRODUCTS = _levels(
    ("automation", 30, 0.15),
    ("sensors", 25, 0.10),
    ("software", 20, -0.10),
    ("service_contract", 15, 0.20),
    ("spare_parts", 10, -0.20),
)


def per_source(attribute: str) -> Floats:
    """One attribute of all sources in the order of `SOURCES`, shape `(n_sources,)`."""
    return np.array([getattr(source, attribute) for source in SOURCES], dtype=np.float64)
