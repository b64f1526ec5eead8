"""python3 run.py PRESS SCENARIO: runs one scenario of the modules here against the binary PRESS."""

import importlib
import sys

from support import Press

MODULES = ("command_line", "connections", "ending", "refusals", "round_trip", "waiting")


def main():
    Press.binary, wanted = sys.argv[1:]
    found = [scenario for name in MODULES
             if (scenario := getattr(importlib.import_module(name), f"scenario_{wanted}", None))]
    if len(found) != 1:
        sys.exit(f"{len(found)} scenarios are called {wanted}")
    found[0]()
    print(f"{wanted}: as promised")


main()
