"""python3 run.py PRESS EXPOSER PUSH SCENARIO: runs one scenario of the modules here against these programs."""

import importlib
import sys

from watching import Press, programs

MODULES = ("rules", "scrape", "push", "page")


def main():
    Press.binary, programs["exposer"], programs["push"], wanted = sys.argv[1:]
    found = [scenario for name in MODULES
             if (scenario := getattr(importlib.import_module(name), f"scenario_{wanted}", None))]
    if len(found) != 1:
        sys.exit(f"{len(found)} scenarios are called {wanted}")
    found[0]()
    print(f"{wanted}: as promised")


main()
