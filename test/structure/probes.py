"""python3 probes.py LIBRARY: does the built library have the USDT probes of docs/tracing.md?

Each probe of the page's table must be there, with as many arguments as the table says, and no other.
"""

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs/tracing.md"


def documented():
    rows = re.findall(r"^\| `brigade:(\w+)` \| (.+) \|$", PAGE.read_text(), re.MULTILINE)
    return {name: len(arguments.split(", ")) for name, arguments in rows}


def built(library):
    notes = subprocess.run(["readelf", "--notes", "--wide", library], check=True,
                           capture_output=True, text=True).stdout
    probe = re.compile(r"Provider: brigade\s+Name: (\w+)\s+Location: .*\s+Arguments: (.*)")
    return [(name, len(arguments.split())) for name, arguments in probe.findall(notes)]


def main():
    wanted, found = documented(), built(sys.argv[1])
    problems = [f"{PAGE.name} has no table of probes"] if not wanted else []
    names = {name for name, _ in found}
    problems += [f"no probe brigade:{name} in {sys.argv[1]}" for name in wanted.keys() - names]
    problems += [f"brigade:{name} is not in {PAGE.name}" for name in names - wanted.keys()]
    problems += [f"brigade:{name} has {count} arguments, not {wanted[name]}"
                 for name, count in found if count != wanted.get(name, count)]
    print("\n".join(sorted(problems)) or f"{len(found)} probes as documented")
    sys.exit(bool(problems))


main()
