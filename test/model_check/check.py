"""python3 check.py [NAME...]: runs Spin on pool.pml, as runs.txt says; all of it if no name is given.

Each run visits every state that can be reached. A run that has to hold fails if an assertion does; a
run with a deliberate mistake fails if the assertion that it names does not.
"""

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
MOST_STEPS = 100_000  # of one path; reaching it is a failure, for then not all was visited


def read_runs():
    runs = {}
    for line in (HERE / "runs.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            name, wanted, settings = (part.strip() for part in line.split("|"))
            runs[name] = (wanted, settings.split())
    return runs


def call(*command, folder):
    done = subprocess.run(command, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def explore(settings, wanted):
    """What the verifier prints, and, of a failure, the path to it."""
    defines = [f"-D{setting}" for setting in settings]
    effort = "-O2" if wanted == "holds" else "-O0"  # a mistake is found soon
    with tempfile.TemporaryDirectory() as folder:
        for command in (["spin", "-a", *defines, HERE / "pool.pml"],
                        ["cc", effort, "-w", "-DSAFETY", "-DCOLLAPSE", "-o", "pan", "pan.c"]):
            status, said = call(*command, folder=folder)
            if status != 0 or not Path(folder, "pan.c").exists():
                sys.exit(f"{command[0]} failed:\n{said}")
        _, found = call("./pan", f"-m{MOST_STEPS}", "-w24", folder=folder)
        trail = Path(folder, "pool.pml.trail")
        path = ""
        if trail.exists():
            _, path = call("spin", "-p", "-g", "-k", trail, *defines, HERE / "pool.pml", folder=folder)
        return found, path


def judge(wanted, found):
    """None, or what is wrong."""
    if "max search depth too small" in found or "out of memory" in found or "errors:" not in found:
        return "not every state was visited"
    failed = re.search(r"assertion violated (.*) \(at depth", found)
    if wanted == "holds":
        return None if "errors: 0" in found else "a state that must not be: " + (failed[1] if failed else "deadlock")
    if not failed:
        return "the mistake was not found"
    return None if wanted in failed[1] else f"found {failed[1]} and not {wanted}"


def main():
    runs = read_runs()
    names = sys.argv[1:] or list(runs)
    unknown = [name for name in names if name not in runs]
    if unknown:
        sys.exit(f"runs.txt has no run called '{unknown[0]}'; it has: " + "; ".join(runs))
    bad = False
    for name in names:
        wanted, settings = runs[name]
        began = time.monotonic()
        found, path = explore(settings, wanted)
        states = int(float(re.search(r"([\d.e+]+) states, stored", found)[1])) if "states, stored" in found else 0
        wrong = judge(wanted, found)
        verdict = f"WRONG: {wrong}" if wrong else "holds" if wanted == "holds" else "mistake found"
        print(f"{name:32} {states:>10} states {time.monotonic() - began:6.1f} s  {verdict}", flush=True)
        if wrong:
            bad = True
            print("\n".join([" ".join(settings), *path.splitlines()[-200:], found]))
    sys.exit(bad)


main()
