"""BG/NBD as a peer for churn: how likely a customer has gone for good, and to buy nothing for some days."""

from __future__ import annotations

import datetime as dt

import numpy as np
import numpy.typing as npt
import pandas as pd

from storewise.tools.models.rhythm import Visits

Floats = npt.NDArray[np.float64]


def bg_nbd(visits: Visits, cutoff: dt.date, days: int) -> pd.DataFrame:
    """Fit BG/NBD (Fader, Hardie and Lee 2005) with `lifetimes` on the visits up to `cutoff`.

    Returns:
        customer_id, gone (1 - P(alive)) and silent: the probability of no visit in the next `days`. Of
        somebody alive the rate is gamma-distributed with shape r + x and scale alpha + T, so that the
        latter is 1 - P(alive) * (1 - ((alpha + T) / (alpha + T + days)) ** (r + x)).
    """
    from lifetimes import BetaGeoFitter

    today = (cutoff - dt.date(1970, 1, 1)).days
    known = visits.day <= today
    seen = pd.DataFrame({"row": visits.row[known], "day": visits.day[known]}).groupby("row")["day"]
    first, last = seen.min(), seen.max()
    weeks = 7.0  # in days the likelihood is flat and the fit may fail
    repeats, recency, age = seen.size() - 1, (last - first) / weeks, (today - first) / weeks
    model = None
    for penalty in (0.0, 0.001, 0.01, 0.1):
        try:
            model = BetaGeoFitter(penalizer_coef=penalty).fit(repeats, recency, age)
            break
        except Exception as error:  # lifetimes raises its own and scipy's
            failed = error
    if model is None:
        raise RuntimeError(f"BG/NBD cannot be fitted as of {cutoff}: {failed}")
    alive = np.asarray(model.conditional_probability_alive(repeats, recency, age), dtype=np.float64)
    scale = float(model.params_["alpha"]) + age.to_numpy()
    none = (scale / (scale + days / weeks)) ** (float(model.params_["r"]) + repeats.to_numpy())
    return pd.DataFrame(
        {"customer_id": visits.customers[first.index], "gone": 1 - alive, "silent": 1 - alive * (1 - none)}
    )
