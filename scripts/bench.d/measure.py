# SPDX-License-Identifier: MIT
"""Measured values: medians, spread, and ratios with their 95 % interval."""
import random
import statistics


class Series:
    """What was measured of one case, a value a round; or why there is none."""

    def __init__(self, case, reason=None):
        self.case = case
        self.reason = reason
        self.values = []

    @property
    def here(self):
        return self.reason is None and bool(self.values)

    @property
    def median(self):
        return statistics.median(self.values)

    @property
    def spread(self):
        """From the 10th to the 90th of a hundred; of few values, all of them."""
        ordered = sorted(self.values)
        cut = len(ordered) // 10
        return ordered[cut], ordered[-1 - cut]


def interval(a, b, draws=2000):
    """The 95 % interval of median(a)/median(b); rounds are drawn together, for
    a slow moment of the machine hits both."""
    generator = random.Random(1)
    rounds = range(min(len(a), len(b)))
    ratios = []
    for _ in range(draws):
        picked = generator.choices(rounds, k=len(rounds))
        ratios.append(statistics.median(a[i] for i in picked) /
                      statistics.median(b[i] for i in picked))
    ratios.sort()
    return ratios[int(draws * 0.025)], ratios[int(draws * 0.975)]


class Ratio:
    """How many times `of` is `to`, by medians."""

    def __init__(self, of, to):
        self.value = of.median / to.median
        self.low, self.high = interval(of.values, to.values)

    def __str__(self):
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"


def rotated(cases, turn):
    """The cases in an order that begins with another one each round."""
    turn %= max(1, len(cases))
    return cases[turn:] + cases[:turn]
