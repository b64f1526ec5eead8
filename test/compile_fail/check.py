"""python3 check.py CASE.cpp COMPILER FLAG...: is CASE.cpp refused, and for the right reason?

The first line of a case says what the compiler's first error must contain, as a regular expression:
`// expect: a job's result must be void`. `// expect: nothing` stands in a case that must compile.
"""

import os
import re
import subprocess
import sys


def main():
    case, compiler = sys.argv[1], sys.argv[2:]
    with open(case, encoding="utf-8") as source:
        expected = source.readline().removeprefix("// expect:").strip()
    answer = subprocess.run([*compiler, "-fsyntax-only", case], stderr=subprocess.PIPE, text=True,
                            env={**os.environ, "LC_ALL": "C"}, check=False)
    errors = [line for line in answer.stderr.splitlines() if "error: " in line]
    print(errors[0] if errors else "compiles")
    if expected.startswith("nothing"):
        right = answer.returncode == 0
    else:
        right = answer.returncode != 0 and errors and re.search(expected, errors[0])
    if not right:
        sys.exit(f"expected: {expected}\n{answer.stderr}")


main()
