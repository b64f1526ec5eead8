"""python3 check_finds.py ROOT: does check.py find just those problems in ROOT that ROOT/expected.txt lists?"""

import subprocess
import sys
from pathlib import Path


def main():
    root = Path(sys.argv[1])
    check = [sys.executable, "-B", str(Path(__file__).with_name("check.py")), str(root)]
    answer = subprocess.run(check, stdout=subprocess.PIPE, text=True, check=False)
    print(answer.stdout, end="")
    if answer.returncode == 0 or answer.stdout != (root / "expected.txt").read_text():
        sys.exit("these are not the problems that expected.txt lists")


main()
