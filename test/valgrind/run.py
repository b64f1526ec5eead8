"""python3 run.py BUILD TOOL LABEL...: runs the tests of a build under valgrind.

BUILD is a build folder without sanitizers, TOOL what `valgrind --tool` takes, LABEL a label of ctest
(unit, contract, storms, ...). Each test is one process. A line for each that fails, then how many
passed. Exits with 1 if one failed. Logs stay in BUILD/valgrind.
"""

import concurrent.futures
import json
import os
import subprocess
import sys
from pathlib import Path

# What valgrind cannot run, and why.
LEFT_OUT = {
    "contract.allocations": "counts in malloc, which valgrind replaces",
    "contract.options": "bounds the process's memory, of which valgrind takes most",
}
OPTIONS = {
    # What is "possibly" lost is held by threads that run until the process ends, as those do that a
    # shutdown has abandoned, or by pointers into a block.
    "memcheck": ["--leak-check=full", "--show-leak-kinds=definite", "--errors-for-leak-kinds=definite"],
    "helgrind": [],
    "drd": [],
}
# Serialized as they are under valgrind, random programs need not be as many.
FEWER = {"RC_PARAMS": "max_success=15"}


def find_tests(build, labels):
    listed = subprocess.run(["ctest", "--test-dir", build, "--show-only=json-v1",
                             "-L", "^(" + "|".join(labels) + ")$"],
                            stdout=subprocess.PIPE, text=True, check=True)
    for test in json.loads(listed.stdout)["tests"]:
        if test["name"] not in LEFT_OUT:
            yield test["name"], test["command"]


def run(test, tool, logs):
    name, command = test
    log = logs / f"{name}.{tool}.log"
    valgrind = ["valgrind", f"--tool={tool}", "--error-exitcode=99", "--fair-sched=try",
                "--num-callers=30", *OPTIONS[tool]]
    with open(log, "w", encoding="utf-8") as out:
        done = subprocess.run([*valgrind, *command], stdout=out, stderr=subprocess.STDOUT,
                              env={**os.environ, **FEWER}, check=False)
    return name, done.returncode, log


def main():
    build, tool, labels = sys.argv[1], sys.argv[2], sys.argv[3:]
    logs = Path(build) / "valgrind"
    logs.mkdir(exist_ok=True)
    tests = list(find_tests(build, labels))
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as several:
        for name, status, log in several.map(lambda test: run(test, tool, logs), tests):
            if status != 0:
                failed += 1
                print(f"{name}: exit status {status}, see {log}", flush=True)
    print(f"{failed} failed, {len(tests) - failed} passed under {tool}")
    sys.exit(failed != 0 or not tests)


main()
