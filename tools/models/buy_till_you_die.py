"""How often customers come back until they are lost: BG/NBD and MBG/NBD.

While alive, a customer buys at a pace of their own (Poisson, paces Gamma over all customers); after each
purchase they are lost with a probability of their own (Beta over all customers). In BG/NBD (Fader, Hardie
and Lee 2005, "Counting your customers" the easy way) nobody is lost before the second purchase; in
MBG/NBD (Batislam, Denizel and Filiztekin 2007) the first purchase may be the last one, too.

All that is read of a customer: x, the days with a purchase after the first; t_x, the weeks from the first
to the last of them; T, the weeks from the first to today.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import betaincinv, betaln, gammaln

Floats = npt.NDArray[np.float64]

NODES = 48  # of the quadrature over the chance of being lost after a purchase


@dataclass(frozen=True)
class BuyTillYouDie:
    """A fitted model: paces ~ Gamma(r, alpha) purchases a week, loss after a purchase ~ Beta(a, b).

    `modified` is MBG/NBD, otherwise BG/NBD.
    """

    r: float
    alpha: float
    a: float
    b: float
    modified: bool

    def log_likelihood(self, x: Floats, t_x: Floats, age: Floats) -> Floats:
        """Return each customer's log-likelihood, for `age` T."""
        r, alpha, a, b = self.r, self.alpha, self.a, self.b
        first = 1.0 if self.modified else 0.0
        common = gammaln(r + x) - gammaln(r) + r * np.log(alpha) - betaln(a, b)
        stays = betaln(a, b + x + first) - (r + x) * np.log(alpha + age)
        # In BG/NBD x = 0 cannot have been lost; the clipped term is masked out below.
        leaves = betaln(a + 1, np.maximum(b + x + first - 1, 1e-9)) - (r + x) * np.log(alpha + t_x)
        if not self.modified:
            leaves = np.where(x > 0, leaves, -np.inf)
        return np.asarray(common + np.logaddexp(stays, leaves), dtype=np.float64)

    def alive(self, x: Floats, t_x: Floats, age: Floats) -> Floats:
        """Return the probability that each customer is not lost yet."""
        first = 1.0 if self.modified else 0.0
        with np.errstate(divide="ignore"):
            odds = np.log(self.a) - np.log(np.maximum(self.b + x + first - 1, 0))
        odds = odds + (self.r + x) * (np.log(self.alpha + age) - np.log(self.alpha + t_x))
        if not self.modified:
            odds = np.where(x > 0, odds, -np.inf)
        return np.asarray(1 / (1 + np.exp(np.clip(odds, -700, 700))), dtype=np.float64)

    def purchases_if_alive(self, weeks: Floats | float, x: Floats, age: Floats) -> Floats:
        """Return the expected purchases in the coming `weeks` of customers who are not lost yet.

        A customer of pace q and chance p of being lost after each purchase is expected to buy
        (1 - exp(-q p t)) / p times. Over the pace the mean is exact; over p it is a quadrature in
        quantiles, which holds for all parameters, also where the closed form has a pole (a = 1).
        """
        first = 1.0 if self.modified else 0.0
        nodes, weights = np.polynomial.legendre.leggauss(NODES)
        # Customers with as many purchases share their nodes.
        counts, place = np.unique(x, return_inverse=True)
        chance = betaincinv(self.a, (self.b + counts + first)[:, None], (nodes[None, :] + 1) / 2)
        chance = np.clip(chance, 1e-12, 1.0)[place]
        passed = np.broadcast_to(np.asarray(weeks, dtype=np.float64), x.shape)[:, None]
        fading = (self.r + x)[:, None] * np.log1p(chance * passed / (self.alpha + age)[:, None])
        return np.asarray((-np.expm1(-fading) / chance) @ (weights / 2), dtype=np.float64)

    def purchases(self, weeks: Floats | float, x: Floats, t_x: Floats, age: Floats) -> Floats:
        """Return the expected purchases in the coming `weeks`."""
        return self.purchases_if_alive(weeks, x, age) * self.alive(x, t_x, age)


def fit(x: Floats, t_x: Floats, age: Floats, modified: bool = True) -> BuyTillYouDie:
    """Return the model of greatest likelihood; customers alike are counted, not repeated.

    Arguments are one value per customer: x (purchases after the first), t_x and `age` T (weeks).
    """
    rows, times = np.unique(np.column_stack([x, t_x, age]), axis=0, return_counts=True)
    scale = max(float(rows[:, 2].mean()), 1e-9)

    def loss(logs: Floats) -> float:
        r, alpha, a, b = np.exp(np.clip(logs, -12, 12))
        model = BuyTillYouDie(r, alpha, a, b, modified)
        # A little pull to 1 keeps a shop without any loss, or of equals, from running off to infinity.
        pull = 1e-3 * float((logs**2).sum())
        likelihood = model.log_likelihood(rows[:, 0], rows[:, 1] / scale, rows[:, 2] / scale)
        return (pull - float(times @ likelihood)) / float(times.sum())

    found = minimize(loss, np.zeros(4), method="L-BFGS-B", bounds=[(-8, 8)] * 4)
    r, alpha, a, b = (float(value) for value in np.exp(found.x))
    return BuyTillYouDie(r, alpha * scale, a, b, modified)


def credible_mean(mean: Floats, count: Floats, variance: Floats) -> Floats:
    """Return each customer's mean drawn towards everybody's, the more so the fewer values it rests on.

    Credibility (Bühlmann 1967, Experience rating and credibility): weight count / (count + k) on the own
    mean, with k the variance within customers over that between them. `variance` is the sample variance
    of each customer's values, missing where there is one value only.
    """
    seen = count > 1
    grand = float(mean.mean())
    if seen.sum() < 2:
        return np.full_like(mean, grand)
    within = float(np.average(variance[seen], weights=count[seen] - 1))
    between = float(np.var(mean[seen])) - within * float((1 / count[seen]).mean())
    k = within / max(between, 1e-3 * max(within, 1e-12))
    weight = count / (count + k)
    return np.asarray(weight * mean + (1 - weight) * grand, dtype=np.float64)
