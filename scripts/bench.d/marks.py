# SPDX-License-Identifier: MIT
"""What this project wants of itself, as ratios of one case to another in one
table. A mark is met when the interval of the ratio reaches it."""
from measure import Ratio

STATIC, DYNAMIC = "start to end, empty static program", "start to end, empty dynamic program"
NUMPY, PACKED, PLAIN = "python3 -c 'import numpy'", "rootlet, cold, packed by build", \
    "rootlet, cold, mksquashfs's layout"
WARM, DIRECTORY, BWRAP = "rootlet, warm (a live server)", "rootlet run DIRECTORY", "bwrap on the directory"
FLOOR, TYPE2, LL = "floor with squashfuse", "type-2 runtime", "squashfuse_ll"
KERNEL, DISK, SHARE = "kernel squashfs", "directory on disk", "rootlet, mount=share"

# Table (the beginning of its title), case, what it is compared with, at most or at least, how much.
MARKS = [
    (STATIC, PLAIN, BWRAP, "<=", 1.0), (STATIC, PLAIN, TYPE2, "<=", 0.70),
    (STATIC, PACKED, BWRAP, "<=", 0.85), (STATIC, PACKED, TYPE2, "<=", 0.60),
    (DYNAMIC, PLAIN, FLOOR, "<=", 0.60), (DYNAMIC, PACKED, FLOOR, "<=", 0.45),
    (STATIC, WARM, BWRAP, "<=", 0.55), (STATIC, WARM, DIRECTORY, "<=", 1.10),
    (NUMPY, WARM, DIRECTORY, "<=", 1.15),
    ("sequential, one big file, cold", LL, "rootlet", ">=", 1.3),
    ("sequential, one big file, cold", KERNEL, "rootlet", ">=", 1.0),
    ("4 readers, different files, cold", LL, "rootlet", ">=", 1.4),
    ("4 readers, different files, cold", KERNEL, "rootlet", ">=", 2.0),
    ("find, cold", LL, "rootlet", ">=", 1.1), ("ls -lR, cold", LL, "rootlet", ">=", 4.0),
    ("find, warm", DISK, "rootlet", ">=", 1.0), ("ls -lR, warm", DISK, "rootlet", ">=", 1.0),
    ("tar of everything, cold", LL, "rootlet", ">=", 1.5), ("import numpy, cold", LL, "rootlet", ">=", 1.2),
    ("growth of the page cache", "mount=share, 64 runs", "mount=share, 1 run", "<=", 1.2),
    ("PSS of the servers", "mount=share, 64 runs", "mount=share, 1 run", "<=", 1.2),
    ("2000 starts", SHARE, BWRAP, ">=", 1.8), ("2000 starts", SHARE, "floor on the directory", ">=", 0.9),
    ("800 starts", SHARE, BWRAP, ">=", 1.8), ("800 starts", SHARE, "floor on the directory", ">=", 0.9),
    *[(f"rules: {tool}, wall", case, "isolated, warm server", "<=", mark)
      for tool, learning in (("numeric (numpy, scipy)", 1.25), ("MAFFT on the globins", 2.5),
                             ("compute-heavy (phmmer)", 1.25))
      for case, mark in (("with enforced rules", 1.02), ("learning", learning))],
    ("pack, zstd 15", "rootlet build", "mksquashfs", "<=", 1.10),
    ("pack, zstd 6", "rootlet build", "mksquashfs", "<=", 1.10),
    ("a tool of 1 s each", "rootlet, as auto picks", "bare tool", ">=", 0.95),
]


def judged(tables):
    """Rows of the marks whose cases are all here."""
    rows = []
    for title, case, base, way, mark in MARKS:
        for table in tables:
            for of in like(table, case) if title in table.title else []:
                for to in like(table, base):
                    ratio = Ratio(of, to)
                    met = ratio.low <= mark if way == "<=" else ratio.high >= mark
                    rows.append([table.title, of.case, to.case, f"{way} {mark:.2f}", str(ratio),
                                 "met" if met else "missed"])
    return rows


def like(table, case):
    """The series of that case; of squashfuse_ll, all that were measured."""
    return [one for one in table.series
            if one.here and (one.case == case or (case == LL and one.case.startswith("squashfuse")))]


def markdown(tables):
    rows = judged(tables)
    if not rows:
        return ""
    lines = [["measured", "case", "compared with", "mark", "ratio", ""], ["---"] * 6, *rows]
    return "### Marks\n\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)
