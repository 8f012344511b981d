#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every verb: its manual page, its --help, its completion in bash, zsh and fish, what it says of a
mistake. verbs_test.py --build BUILD [NAME...]"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
MAN = TOP / "docs/man"
LINES, COLUMNS = 24, 80  # of a terminal

BASH = """
source "$1"
# As readline does: the words, which one it is, then the function of the command.
COMP_WORDBREAKS=$' \\t\\n"\\'><=;|&(:'
compopt() { :; }
shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
$(complete -p "${1##*/}" | sed 's/.*-F \\([^ ]*\\).*/\\1/')
printf '%s\\n' "${COMPREPLY[@]}"
"""
FISH = 'source $argv[1]; complete -C $argv[2] | string split -f1 \\t'
# A zsh in a terminal of its own, whose compadd tells what it was given.
ZSH = """
zmodload zsh/zpty
zpty inner zsh -f -i
zpty -w inner 'source $SETUP'
zpty -w -n inner "$1"$'\\C-I'
for i in {1..400}; do [[ -e $OUT.done ]] && break; sleep 0.05; done
zpty -d inner
"""
ZSH_SETUP = """
PS1=
fpath=($FUNCTIONS $fpath)
autoload -Uz compinit
compinit -u -D
bindkey '^I' complete-word
compadd() {
  if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]]; then
    builtin compadd "$@"
    return
  fi
  local -a hits
  builtin compadd -A hits "$@"
  print -rl -- $hits >> $OUT
  builtin compadd "$@"
}
finished() { touch $OUT.done }
comppostfuncs=(finished)
"""


def check(truth, message):
    if not truth:
        raise AssertionError(message)


class Rootlet:
    def __init__(self, build, place):
        self.place = place
        for name in ("rootlet", "rootlet-tools", "rootlet-stub", "rootlet-apprun", "rootlet-examiner"):
            if (build / name).exists():
                (place / name).symlink_to(build / name)
        (place / "nsroot").symlink_to(build / "rootlet")
        self.env = dict(os.environ, PATH=f"{place}:/usr/bin:/bin", HOME=str(place), TERM="xterm",
                        LC_ALL="C.UTF-8")
        text = self.run("--help").stdout
        self.verbs = re.findall(r"^  ([a-z]+) +\S", text[:text.index("Examples")], re.M)

    def run(self, *words):
        return subprocess.run([self.place / "rootlet", *words], env=self.env, capture_output=True,
                              text=True, timeout=60, stdin=subprocess.DEVNULL)

    def bash(self, *words):
        return self.asked(["bash", "-c", BASH, "bash", TOP / "completions/rootlet.bash", *words])

    def fish(self, line):
        return self.asked(["fish", "--no-config", "-c", FISH, TOP / "completions/rootlet.fish", line])

    def zsh(self, line):
        (self.place / "setup").write_text(ZSH_SETUP)
        out = self.place / "out"
        for path in (out, Path(f"{out}.done")):
            path.unlink(missing_ok=True)
        functions = self.place / "functions"
        functions.mkdir(exist_ok=True)
        shutil.copy(TOP / "completions/_rootlet", functions)
        subprocess.run(["zsh", "-f", "-c", ZSH, "zsh", line], timeout=60, capture_output=True,
                       env=dict(self.env, SETUP=str(self.place / "setup"), OUT=str(out),
                                FUNCTIONS=str(functions)))
        return set(out.read_text().split()) if out.exists() else set()

    def asked(self, command):
        done = subprocess.run(command, env=self.env, capture_output=True, text=True, timeout=60)
        check(done.stderr == "", f"{command[0]} says {done.stderr!r}")
        return set(done.stdout.split())


def manual_pages(rootlet):
    """each verb has a manual page of its own, which man shows and mandoc finds no fault with"""
    for verb in ["", *rootlet.verbs]:
        page = MAN / ("rootlet.1" if verb == "" else f"rootlet-{verb}.1")
        check(page.exists(), f"there is no {page.relative_to(TOP)}")
    for page in sorted(MAN.iterdir()):
        text = page.read_text()
        if text.startswith(".so "):
            other = MAN / text.split("/")[-1].strip()
            name = page.name.rsplit(".", 1)[0].replace("-", "\\-")
            check(name in other.read_text(), f"{other.name} does not name {name}")
            continue
        lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page], capture_output=True,
                              text=True)
        faults = [line for line in lint.stdout.splitlines() if "cannot parse date" not in line]
        check(not faults, "\n".join(faults))
        shown = subprocess.run(["man", "--warnings", "-l", page], capture_output=True, text=True,
                               env=dict(rootlet.env, MANPAGER="cat", MANWIDTH="80", LC_ALL="C.UTF-8"))
        check(shown.returncode == 0 and not shown.stderr, f"{page.name}: {shown.stderr}")
        for part in ("NAME", "SYNOPSIS" if page.suffix == ".1" else "DESCRIPTION"):
            check(part in shown.stdout, f"{page.name} has no {part}")


def headings(rootlet):
    """`rootlet --help` has each of its headings once"""
    found = re.findall(r"^([A-Z][a-z]+):$", rootlet.run("--help").stdout, re.M)
    check(len(found) > 3 and len(found) == len(set(found)), f"headings: {found}")


def help_fits(rootlet):
    """each verb's --help fits a terminal of 24 lines and 80 columns, and has examples"""
    for verb in rootlet.verbs:
        for option in ("--help", "-h"):
            done = rootlet.run(verb, option)
            check(done.returncode == 0 and not done.stderr, f"{verb} {option}: {done}")
        lines = done.stdout.splitlines()
        check(len(lines) <= LINES, f"{verb} --help has {len(lines)} lines")
        longest = max(lines, key=len)
        check(len(longest) <= COLUMNS, f"{verb} --help: {len(longest)} columns: {longest}")
        check(any(line.startswith("Usage: ") for line in lines), f"{verb} --help has no usage")
        check(re.search(rf"^Examples?:\n  .*\b(rootlet|nsroot|encapsulate)\b", done.stdout, re.M),
              f"{verb} --help has no examples")
    for verb in ("run", "build"):
        check(len(rootlet.run(verb, "--help-all").stdout.splitlines()) > LINES, f"{verb} --help-all")


def mistakes(rootlet):
    """a mistyped verb or option is refused with 125, and what to type instead"""
    for verb in rootlet.verbs:
        wrong = verb + "x"
        done = rootlet.run(wrong)
        check(done.returncode == 125 and done.stdout == "", f"{wrong}: {done}")
        check(re.fullmatch(r"rootlet: .*\nhint: .*\n", done.stderr), f"{wrong}: {done.stderr}")
        if len(verb) > 2:
            check(f'"{verb}"' in done.stderr, f"{wrong}: {done.stderr}")
        done = rootlet.run(verb, "--frobnicate")
        check(done.returncode == 125 and done.stdout == "", f"{verb} --frobnicate: {done}")
        check(re.fullmatch(r"rootlet: .*\nhint: .*\n", done.stderr), f"{verb}: {done.stderr}")


def options_of(rootlet, verb):
    """The long options of a verb, for the shells to offer; one with a value is as good with '='."""
    text = rootlet.run(verb, "--help").stdout
    listed = set(re.findall(r"^ +(?:-\w, ?)?(--[a-z][a-z-]*)", text, re.M))
    return {option for option in listed if option not in ("--help", "--rootlet-")}


def completed(rootlet, program, complete):
    if shutil.which(program) is None:
        return f"no {program} here: scripts/setup installs it"
    verbs = complete("rootlet", "")
    check(set(rootlet.verbs) <= verbs, f"verbs not offered: {set(rootlet.verbs) - verbs}")
    for verb in rootlet.verbs:
        offered = {word.rstrip("=") for word in complete("rootlet", verb, "--")}
        missing = options_of(rootlet, verb) - offered
        check(not missing, f"rootlet {verb} --: not offered: {missing}")
    check({"cache"} <= complete("rootlet", "cac"), "a part of a verb")
    values = {word.split("=")[-1] for word in complete("rootlet", "run", "--profile=is")}
    check(values == {"isolated"}, f"--profile=is: {values}")
    return None


def bash_completion(rootlet):
    """bash completes every verb, its options and their words"""
    def complete(*words):
        last = words[-1].partition("=")
        return rootlet.bash(*words[:-1], *[part for part in last if part] or [""])
    return completed(rootlet, "bash", complete)


def zsh_completion(rootlet):
    """zsh completes every verb, its options and their words"""
    return completed(rootlet, "zsh", lambda *words: rootlet.zsh(" ".join(words)))


def fish_completion(rootlet):
    """fish completes every verb, its options and their words"""
    return completed(rootlet, "fish", lambda *words: rootlet.fish(" ".join(words)))


TESTS = [manual_pages, headings, help_fits, mistakes, bash_completion, zsh_completion, fish_completion]


def main():
    if len(sys.argv) < 3 or sys.argv[1] != "--build":
        sys.exit(__doc__)
    words = []
    for test in TESTS:
        if sys.argv[3:] and test.__name__ not in sys.argv[3:]:
            continue
        with tempfile.TemporaryDirectory() as directory:
            word, why = "ok", ""
            try:
                reason = test(Rootlet(Path(sys.argv[2]).resolve(), Path(directory)))
                if reason:
                    word, why = "skipped", f": {reason}"
            except AssertionError as error:
                word, why = "FAILED", f"\n    {error}"
            words.append(word)
            print(f"{word:7} {test.__name__}: {test.__doc__}{why}", flush=True)
    return 1 if "FAILED" in words else 0


if __name__ == "__main__":
    sys.exit(main())
