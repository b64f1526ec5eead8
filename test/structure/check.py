"""python3 check.py ROOT: does the tree keep to test/structure/floors.txt?

Each file of include/ and src/ stands on a floor and includes what that floor may include; includes
have no cycle; no header is dead; the umbrella has all of the core and nothing optional; and
src/CMakeLists.txt names every file.
"""

import re
import sys
from pathlib import Path

# What each floor may include of the library's own.
MAY_INCLUDE = {
    "ground": {"ground"},
    "decisions": {"ground", "decisions"},
    "machinery": {"ground", "decisions", "machinery"},
    "face": {"ground", "decisions", "machinery", "face"},
    "around": {"ground", "face", "around"},    # public headers only, see below
    "optional": {"ground", "face", "around", "optional"},  # components with a target of their own
    "umbrella": {"ground", "face", "around"},
}
# What plain data and decisions have no use for. Asio's error codes are plain data.
NO_THREADS = re.compile(r"<(thread|mutex|shared_mutex|condition_variable|future|semaphore|latch|"
                        r"barrier|stop_token|boost/asio(?!/error\.hpp).*)>")
PUBLIC_ONLY = {"around", "optional", "umbrella"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"][^>"]+[>"])', re.MULTILINE)


def read_floors(path):
    floors, extra = {}, {}
    for line in path.read_text().splitlines():
        words = line.split("#")[0].split()
        if words:
            floors[words[0]], extra[words[0]] = words[1], set(words[2:])
    return floors, extra


def find_files(root):
    """Every source file by the name it has in floors.txt."""
    found = {str(path.relative_to(root / folder)): path
             for folder in ("include", "src") for path in (root / folder).rglob("*.[ch]pp")}
    return dict(sorted(found.items()))


def own_includes(name, includes):
    """Those of the library's own, by the names they have in floors.txt."""
    folder = Path(name).parent
    return [text[1:-1] if text.startswith("<") else str(folder / text[1:-1])
            for text in includes if text.startswith(("<brigade/", '"'))]


def check_floor(name, floor, includes, floors, allowed):
    for text in includes:
        if floor in ("ground", "decisions") and NO_THREADS.match(text) and text not in allowed:
            yield f"{name} ({floor}) includes {text}"
    for other in own_includes(name, includes):
        if floors.get(other) not in MAY_INCLUDE[floor]:
            yield f"{name} ({floor}) includes {other} ({floors.get(other, 'no such file')})"
        elif floor in PUBLIC_ONLY and "/detail/" in other:
            yield f"{name} ({floor}) includes {other}, which is not public"


def check_cycles(graph):
    done, path = set(), []

    def visit(name):
        if name in path:
            yield "a cycle: " + " -> ".join(path[path.index(name):] + [name])
        elif name not in done:
            path.append(name)
            for other in graph.get(name, []):
                yield from visit(other)
            done.add(path.pop())

    for name in graph:
        yield from visit(name)


def check_dead(graph):
    """A private header must be reached from a public one or from a source file."""
    wanted = [name for name in graph if "/detail/" not in name]
    reached = set()
    while wanted:
        name = wanted.pop()
        if name not in reached:
            reached.add(name)
            wanted += graph.get(name, [])
    for name in graph:
        if name not in reached:
            yield f"{name} is included by nobody"


def check_umbrella(floors, graph):
    umbrella = "brigade/brigade.hpp"
    core = {name for name, floor in floors.items()
            if re.fullmatch(r"brigade/\w+\.hpp", name) and floor not in ("umbrella", "optional")}
    for name in sorted(core - set(graph[umbrella])):
        yield f"{umbrella} does not include {name}"


def check(root):
    floors, extra = read_floors(root / "test/structure/floors.txt")
    files = find_files(root)
    includes = {name: INCLUDE.findall(path.read_text()) for name, path in files.items()}
    graph = {name: own_includes(name, texts) for name, texts in includes.items()}
    listed = (root / "src/CMakeLists.txt").read_text()

    for name in files.keys() - floors.keys():
        yield f"{name} stands on no floor: add it to test/structure/floors.txt"
    for name in floors.keys() - files.keys():
        yield f"{name} is in test/structure/floors.txt, but nowhere else"
    for name in files.keys() & floors.keys():
        if floors[name] not in MAY_INCLUDE:
            yield f"{name}: there is no floor called {floors[name]}"
        else:
            yield from check_floor(name, floors[name], includes[name], floors, extra[name])
        if not re.search(rf"(^|[\s/]){re.escape(name)}($|[\s)])", listed, re.MULTILINE):
            yield f"{name} is not in src/CMakeLists.txt"
    yield from check_cycles(graph)
    yield from check_dead(graph)
    yield from check_umbrella(floors, graph)


def main():
    problems = sorted(set(check(Path(sys.argv[1]))))
    print("\n".join(problems) or "every file keeps to its floor")
    sys.exit(bool(problems))


main()
