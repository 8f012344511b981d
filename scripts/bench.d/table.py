# SPDX-License-Identifier: MIT
"""One table of results: printed as Markdown, as JSON, or drawn."""
from measure import Ratio


def number(value):
    return f"{value:.0f}" if value >= 1000 else f"{value:.2f}" if value >= 1 else f"{value:.3f}"


class Table:
    """Series of one thing; the others are compared with each of `bases` that is here."""

    def __init__(self, title, unit, series, *bases, note=""):
        self.title = title
        self.unit = unit
        self.series = series
        self.note = note
        self.bases = [one for name in bases for one in series if one.case == name and one.here]

    def markdown(self):
        columns = ["case", self.unit, "spread", "n", *(f"ratio to {base.case}" for base in self.bases)]
        lines = [columns, ["---"] * len(columns), *(self.row(one) for one in self.series)]
        text = f"### {self.title}\n\n" + (f"{self.note}\n\n" if self.note else "")
        return text + "".join(f"| {' | '.join(line)} |\n" for line in lines)

    def row(self, series):
        if not series.here:
            return [series.case, series.reason or "not here", *[""] * (2 + len(self.bases))]
        low, high = series.spread
        return [series.case, number(series.median), f"{number(low)} - {number(high)}", str(len(series.values)),
                *("1" if series is base else str(Ratio(series, base)) for base in self.bases)]

    def json(self):
        rows = []
        for series in self.series:
            row = {"case": series.case, "here": series.here}
            if series.here:
                low, high = series.spread
                row.update(median=series.median, low=low, high=high, values=series.values)
                ratios = {base.case: Ratio(series, base) for base in self.bases}
                row["ratios"] = {name: [ratio.value, ratio.low, ratio.high] for name, ratio in ratios.items()}
            else:
                row["reason"] = series.reason or "not here"
            rows.append(row)
        return {"title": self.title, "unit": self.unit, "note": self.note, "rows": rows}
