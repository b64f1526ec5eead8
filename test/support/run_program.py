"""python3 run_program.py PROGRAM [EXPECTED]: runs PROGRAM; it has to exit with 0 and, where EXPECTED is
given, print just that: a text file, or the `// Output:` comment that a source file ends with."""

import subprocess
import sys


def read_expected(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if not path.endswith(".cpp"):
        return text.strip()
    comment = text.split("\n// Output:\n")[1]
    return "\n".join(line.removeprefix("//").removeprefix("   ") for line in comment.splitlines()).strip()


def main():
    program, expected = sys.argv[1], sys.argv[2:]
    answer = subprocess.run([program], stdout=subprocess.PIPE, text=True, check=False)
    print(answer.stdout, end="")
    if answer.returncode != 0:
        sys.exit(f"it ended with status {answer.returncode}")
    if expected and answer.stdout.strip() != (wanted := read_expected(expected[0])):
        sys.exit(f"but {expected[0]} says that it prints\n{wanted}")


main()
