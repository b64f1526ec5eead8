"""python3 run.py PRESS [SCENARIO]: runs the scenario, or all of them, against the binary PRESS.

In the environment:
  RECOVERY_SECONDS  within how many seconds a good request has to be answered once an attack is over.
                    10 by default, for machines that are busy with other tests; scripts/verify says 1
  CONNECTIONS       how many there are at once: 2000 by default
  OVERLOAD_SECONDS  for how long the service is overloaded: 3 by default
"""

import asyncio
import importlib
import sys
import time

from siege import Press

MODULES = ("crowds", "disconnects", "framing", "overload", "slow")


def main():
    Press.binary, *wanted = sys.argv[1:]
    found = {name.removeprefix("scenario_"): run for module in MODULES
             for name, run in vars(importlib.import_module(module)).items()
             if name.startswith("scenario_")}
    for name in wanted or found:
        if name not in found:
            sys.exit(f"there is no scenario {name}; there are: {', '.join(found)}")
        began = time.monotonic()
        asyncio.run(found[name]())
        print(f"{name}: held out, {time.monotonic() - began:.1f} s", flush=True)
    print(f"{len(wanted or found)} attacks")


main()
