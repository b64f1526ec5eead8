"""python3 extract.py ROOT OUT PAGE...: turns the ```cpp blocks of Markdown pages into sources in OUT.

    ```cpp                a fragment: compiled inside a function, after <brigade/brigade.hpp>,
                          <boost/asio.hpp> and `namespace asio = boost::asio;`
    ```cpp coroutine      a fragment inside an asio::awaitable<void>
    ```cpp declarations   a fragment outside of any function
    ```cpp no-run         a program that is compiled, but not run

A block with `int main` is a program: it is compiled, linked, run, and has to exit with 0. A
```text output block behind it is what it has to print. What a fragment needs and its reader does not
may stand in front of it, on lines of their own: <!-- prelude: extern brigade::worker_pool pool; -->

OUT/snippets.cmake lists what was made. Files are only written when they change.
"""

import re
import sys
from pathlib import Path

FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<body>.*?)^(?P=indent)```[ ]*$",
                   re.MULTILINE | re.DOTALL)
PRELUDE = re.compile(r"<!--\s*prelude:(.*?)-->\s*\Z", re.DOTALL)
INCLUDE = re.compile(r"^\s*#\s*include[^\n]*$", re.MULTILINE)
PROGRAM = re.compile(r"^int main\(", re.MULTILINE)
HEAD = """#include <boost/asio.hpp>
#include <brigade/brigade.hpp>
{includes}
namespace asio = boost::asio;
"""
OPEN = {"coroutine": "asio::awaitable<void> fragment() {", "declarations": "", "": "void fragment() {"}
KNOWN = {"coroutine", "declarations", "no-run"}


class Block:
    """One fenced block: language, attributes, text, the line it starts at, the prelude before it."""

    def __init__(self, page, text, match, end_of_last):
        words = match["info"].split()
        self.language, self.attributes = (words or [""])[0], set(words[1:])
        self.body = re.sub(rf"^{match['indent']}", "", match["body"], flags=re.MULTILINE)
        self.line = text.count("\n", 0, match.start("body")) + 1
        prelude = PRELUDE.search(text[end_of_last:match.start()])
        self.prelude = prelude[1].strip() if prelude else ""
        if self.language == "cpp" and self.attributes - KNOWN:
            sys.exit(f"{page}:{self.line}: unknown attribute {self.attributes - KNOWN}")

    def is_program(self):
        return self.language == "cpp" and PROGRAM.search(self.body) is not None


def read_blocks(page):
    text, end = page.read_text(), 0
    for match in FENCE.finditer(text):
        yield Block(page, text, match, end)
        end = match.end()


def as_fragment(block, name):
    kind = next(iter(block.attributes & set(OPEN)), "")
    body = INCLUDE.sub("", block.body)
    end = "" if kind == "declarations" else "}"
    return (f"namespace snippet_{block.line} {{\n{INCLUDE.sub('', block.prelude)}\n{OPEN[kind]}\n"
            f'#line {block.line} "{name}"\n{body}{end}\n}}\n')


def write(path, text):
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def extract(page, name, out):
    """Writes the sources of one page; yields the lines of the manifest."""
    stem = re.sub(r"\W", "_", name.removesuffix(".md"))
    blocks = list(read_blocks(page))
    fragments = [block for block in blocks if block.language == "cpp" and not block.is_program()]
    if fragments:
        includes = "\n".join(INCLUDE.findall("\n".join(b.prelude + "\n" + b.body for b in fragments)))
        source = HEAD.format(includes=includes) + "".join(as_fragment(b, name) for b in fragments)
        write(out / f"{stem}.cpp", source)
        yield f"brigade_docs_fragments({stem})"
    for block, following in zip(blocks, blocks[1:] + [None]):
        if block.is_program():
            program = f"{stem}_{block.line}"
            write(out / f"{program}.cpp", f'#line {block.line} "{name}"\n{block.body}')
            output = ""
            if following and following.language == "text" and "output" in following.attributes:
                output = f" OUTPUT {program}.txt"
                write(out / f"{program}.txt", following.body)
            run = " NO_RUN" if "no-run" in block.attributes else ""
            yield f"brigade_docs_program({program}{output}{run})"


def main():
    root, out = Path(sys.argv[1]), Path(sys.argv[2])
    lines = [line for page in map(Path, sys.argv[3:])
             for line in extract(page, str(page.relative_to(root)), out)]
    write(out / "snippets.cmake", "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
