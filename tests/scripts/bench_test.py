#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What scripts/bench makes of its figures. Needs gcc, measures nothing."""
import json
import subprocess
import sys
import tempfile
import unittest
import xml.dom.minidom
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(TOP / "scripts/bench.d"))
import marks  # noqa: E402
import peers  # noqa: E402
import plot  # noqa: E402
import read  # noqa: E402
from measure import Ratio, Series, rotated  # noqa: E402
from table import Table  # noqa: E402


def series(case, *values, reason=None):
    made = Series(case, reason)
    made.values = list(values)
    return made


NOISY = [10, 12, 9, 11, 30, 10, 11, 10, 12, 9]


class Bench(unittest.TestCase):
    def test_median_and_spread(self):
        """one slow round moves neither the median nor, of ten and more, the spread"""
        self.assertEqual(series("a", *NOISY).median, 10.5)
        self.assertEqual(series("a", *NOISY).spread, (9, 12))
        self.assertEqual(series("a", 3, 1, 2).spread, (1, 3))

    def test_only(self):
        """--only takes the workloads whose name begins so, and none of another name"""
        self.assertEqual([name for name, *_ in read.wanted("random")],
                         ["random 4 KiB, 1 reader", "random 4 KiB, 4 readers"])
        self.assertEqual(read.wanted("no such"), [])
        self.assertEqual(read.wanted(None), read.WORKLOADS)

    def test_ratio(self):
        """the interval of a ratio holds it; of twice the time it holds two and not one"""
        same = Ratio(series("a", *NOISY), series("b", *reversed(NOISY)))
        self.assertTrue(same.low <= same.value == 1 <= same.high)
        twice = Ratio(series("a", *(2 * value for value in NOISY)), series("b", *NOISY))
        self.assertTrue(1 < twice.low <= 2 <= twice.high)

    def test_every_round_begins_with_another(self):
        """no case is always measured after the same one's mess"""
        self.assertEqual({rotated(["a", "b", "c"], turn)[0] for turn in range(3)}, {"a", "b", "c"})

    def test_not_here(self):
        """what is not on the host is said so, with the reason, and compared with nothing"""
        table = Table("t", "ms", [series("ours", 1, 2), series("peer", reason="not here"),
                                  series("broken", reason=peers.can(["false"]))], "ours", "peer")
        text = table.markdown()
        self.assertIn("| peer | not here |", text)
        self.assertIn("| broken | failed: 1 |", text)
        self.assertNotIn("ratio to peer", text)
        self.assertIsNone(peers.can(["true"]))
        self.assertIn("not here", peers.can(["/no/such/program"]))
        rows = {row["case"]: row for row in json.loads(json.dumps(table.json()))["rows"]}
        self.assertEqual((rows["ours"]["values"], rows["peer"]["here"]), ([1, 2], False))

    def test_marks(self):
        """a mark is met when the interval reaches it, missed when it does not, absent without its peer"""
        ours, bwrap = series(marks.PLAIN, *NOISY), series(marks.BWRAP, *NOISY)
        self.assertEqual([row[-1] for row in marks.judged([Table(marks.STATIC, "ms", [ours, bwrap])])], ["met"])
        slow = series(marks.PLAIN, *(2 * value for value in NOISY))
        self.assertEqual([row[-1] for row in marks.judged([Table(marks.STATIC, "ms", [slow, bwrap])])], ["missed"])
        self.assertEqual(marks.judged([Table(marks.STATIC, "ms", [ours])]), [])

    def test_plot(self):
        """the plot is well-formed, whatever a case is called"""
        drawn = plot.svg([Table("a < b & c", "ms", [series("rootlet <1>", 1, 2), series("x", reason="no")])], "m & n")
        self.assertEqual(len(xml.dom.minidom.parseString(drawn).getElementsByTagName("rect")), 1)

    def test_launches(self):
        """each round times each case; what does not end with 0 is counted"""
        with tempfile.TemporaryDirectory() as work:
            subprocess.run(["gcc", "-o", f"{work}/launches", TOP / "scripts/bench.d/launches.c"], check=True)
            Path(work, "cases").write_text("good\ttrue\nbad\tsh\t-c\texit 3\n")
            run = [f"{work}/launches", "2", f"{work}/cases"]
            lines = subprocess.check_output(run, text=True).splitlines()
            self.assertEqual(sorted((line.split("\t")[0], line.split("\t")[3]) for line in lines),
                             [("bad", "1"), ("bad", "1"), ("good", "0"), ("good", "0")])
            lines = subprocess.check_output([*run, "5", "2"], text=True).splitlines()
            self.assertEqual({(line.split("\t")[0], line.split("\t")[3]) for line in lines},
                             {("good", "0"), ("bad", "5")})


if __name__ == "__main__":
    unittest.main()
