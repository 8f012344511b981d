# SPDX-License-Identifier: MIT
"""One table of results: printed as Markdown, as JSON, or drawn."""
from measure import Ratio


def number(value):
    return f"{value:.0f}" if value >= 1000 else f"{value:.2f}" if value >= 1 else f"{value:.3f}"


class Table:
    """Series of one thing; `base` is the case that the others are compared with."""

    def __init__(self, title, unit, series, base=None, note=""):
        self.title = title
        self.unit = unit
        self.series = series
        self.note = note
        self.base = next((s for s in series if s.case == base and s.here), None)

    def ratio(self, series):
        return Ratio(series, self.base) if self.base and series.here else None

    def markdown(self):
        head = f"### {self.title}\n\n" + (f"{self.note}\n\n" if self.note else "")
        compared = f" | ratio to {self.base.case}" if self.base else ""
        head += f"| case | {self.unit} | spread | n{compared} |\n"
        head += "| --- | --- | --- | ---" + (" | ---" if self.base else "") + " |\n"
        return head + "".join(self.row(series) for series in self.series)

    def row(self, series):
        if not series.here:
            rest = " | |" if self.base else " |"
            return f"| {series.case} | {series.reason or 'not here'} | |{rest}\n"
        low, high = series.spread
        text = f"| {series.case} | {number(series.median)} | {number(low)} - {number(high)} | {len(series.values)} |"
        return text + (f" {self.ratio(series)} |" if self.base else "") + "\n"

    def json(self):
        rows = []
        for series in self.series:
            row = {"case": series.case, "here": series.here}
            if series.here:
                low, high = series.spread
                row.update(median=series.median, low=low, high=high, values=series.values)
                ratio = self.ratio(series)
                if ratio:
                    row.update(ratio=ratio.value, interval=[ratio.low, ratio.high])
            else:
                row["reason"] = series.reason or "not here"
            rows.append(row)
        return {"title": self.title, "unit": self.unit, "note": self.note,
                "base": self.base.case if self.base else None, "rows": rows}
