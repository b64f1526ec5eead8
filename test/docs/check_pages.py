"""python3 check_pages.py PAGE...: do the shell blocks parse, and do the relative links lead somewhere?"""

import re
import subprocess
import sys
from pathlib import Path

from extract import FENCE, read_blocks

LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)")


def problems(page):
    for block in read_blocks(page):
        if block.language in ("sh", "bash"):
            answer = subprocess.run(["bash", "-n"], input=block.body, capture_output=True, text=True,
                                    check=False)
            if answer.returncode != 0:
                yield f"{page}:{block.line}: {answer.stderr.strip()}"
    for target in LINK.findall(FENCE.sub("", page.read_text())):
        if not (page.parent / target).exists():
            yield f"{page}: there is no {target}"


def main():
    found = [problem for page in map(Path, sys.argv[1:]) for problem in problems(page)]
    print("\n".join(found) or f"{len(sys.argv) - 1} pages in order")
    sys.exit(bool(found))


main()
