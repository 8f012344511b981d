# SPDX-License-Identifier: MIT
"""Tables drawn as bars, one below the other, in one SVG."""
from html import escape

from table import number

WIDTH, LABELS, BAR, GAP = 900, 300, 16, 6


def bars(table, top):
    """The bars of a table from `top` on: SVG, and where they end."""
    here = [series for series in table.series if series.here]
    if not here:
        return "", top
    scale = (WIDTH - LABELS - 170) / max(series.spread[1] for series in here)
    out = [f'<text x="0" y="{top + 14}" class="title">{escape(table.title)}, {escape(table.unit)}</text>']
    y = top + 24
    for series in here:
        low, high = series.spread
        length, middle = series.median * scale, y + BAR / 2
        ours = ' class="ours"' if series.case.startswith("rootlet") else ""
        label = number(series.median)
        if table.bases:
            label += f"   {series.median / table.bases[0].median:.2f} x"
        out.append(f'<text x="{LABELS - 8}" y="{y + 12}" text-anchor="end">{escape(series.case)}</text>'
                   f'<rect x="{LABELS}" y="{y}" width="{length:.1f}" height="{BAR}"{ours}/>'
                   f'<path d="M{LABELS + low * scale:.1f} {middle}H{LABELS + high * scale:.1f}"/>'
                   f'<text x="{LABELS + high * scale + 8:.1f}" y="{y + 12}">{label}</text>')
        y += BAR + GAP
    return "\n".join(out), y + 20


def svg(tables, caption):
    body, y = [], 8
    for table in tables:
        drawn, y = bars(table, y)
        body.append(drawn)
    style = ("text{font:12px sans-serif}.title{font-weight:bold}rect{fill:#9db4c8}"
             "rect.ours{fill:#c8553d}path{stroke:#333;stroke-width:1.5}")
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y + 24}">\n'
            f'<style>{style}</style>\n' + "\n".join(body) +
            f'\n<text x="0" y="{y + 12}">{escape(caption)}</text>\n</svg>\n')
