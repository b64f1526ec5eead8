"""What goes in comes out again, through curl and the zstd program."""

import os
import pathlib
import re
import subprocess
import tempfile

from support import Press, decompressed, same


def curl(*arguments, **options):
    done = subprocess.run(["curl", "-sS", *arguments], capture_output=True, check=True, **options)
    return done.stdout


def real_files(at_least):
    """Files of this machine, of different kinds, with so many bytes together."""
    found, size = [], 0
    folders = ("/usr/share/common-licenses", "/usr/lib/x86_64-linux-gnu", "/usr/lib", "/usr/bin")
    for folder in filter(os.path.isdir, folders):
        for path in sorted(pathlib.Path(folder).iterdir()):
            if path.is_file() and 0 < path.stat().st_size < 4 << 20:
                found.append(path)
                size += path.stat().st_size
            if size >= at_least:
                return found
    return found


def proves(press, path, level):
    """One file through the service and back, compared by cmp."""
    with tempfile.NamedTemporaryFile() as frame:
        status = curl("--data-binary", f"@{path}", "-o", frame.name, "-w", "%{http_code}",
                      f"{press.url}/compress?level={level}")
        same(status, b"200", f"status for {path}")
        subprocess.run(f'zstd -dc < "{frame.name}" | cmp - "{path}"', shell=True, check=True)


def scenario_every_level_gives_the_body_back():
    with Press() as press:
        for level in range(1, 20):
            proves(press, "/usr/share/common-licenses/GPL-3", level)
        sizes = [len(press.ask(f"/compress?level={level}", open("/bin/bash", "rb").read()).body)
                 for level in (1, 19)]
        assert sizes[1] < sizes[0], f"level 19 is no smaller than level 1: {sizes}"


def scenario_empty_and_tiny_bodies_come_back():
    with Press() as press:
        for body in (b"", b"x", b"\0" * 100, os.urandom(4097)):
            frame = curl("--data-binary", "@-", f"{press.url}/compress", input=body)
            same(decompressed(frame), body)


def scenario_megabytes_of_real_files_come_back():
    with Press("--network-threads", "2") as press:
        for path in real_files(12 << 20):
            proves(press, path, 1)


def scenario_the_largest_body_allowed_comes_back():
    with Press("--max-body", "8M") as press, tempfile.NamedTemporaryFile() as file:
        file.write(os.urandom(8 << 20))
        file.flush()
        proves(press, file.name, 1)


def scenario_many_clients_at_once_each_get_their_own():
    with Press("--network-threads", "2") as press, tempfile.TemporaryDirectory() as folder:
        bodies = [os.urandom(1000 * i + 1) for i in range(48)]
        clients = []
        for i, body in enumerate(bodies):
            pathlib.Path(folder, f"{i}").write_bytes(body)
            clients.append(subprocess.Popen(
                ["curl", "-sS", "--data-binary", f"@{folder}/{i}", "-o", f"{folder}/{i}.zst",
                 f"{press.url}/compress?level=1"]))
        same([client.wait() for client in clients], [0] * len(bodies), "exit statuses of curl")
        for i, body in enumerate(bodies):
            same(decompressed(pathlib.Path(folder, f"{i}.zst").read_bytes()) == body, True, "body")


def scenario_a_chunked_body_comes_back():
    with Press() as press:
        body = os.urandom(300_000)
        frame = curl("-X", "POST", "-H", "Transfer-Encoding: chunked", "-T", "-",
                     f"{press.url}/compress", input=body)
        same(decompressed(frame) == body, True, "body")


def scenario_a_client_that_expects_100_continue_is_told_to_go_on():
    with Press() as press, tempfile.NamedTemporaryFile() as file:
        file.write(os.urandom(2 << 20))
        file.flush()
        heads = curl("-D", "-", "-o", "/dev/null", "-H", "Expect: 100-continue",
                     "--expect100-timeout", "50", "--data-binary", f"@{file.name}",
                     f"{press.url}/compress?level=1")
        same(re.findall(rb"HTTP/1.1 (\d+)", heads), [b"100", b"200"], "statuses")


def scenario_the_answer_tells_how_long_it_took():
    with Press() as press:
        fields = press.ask("/compress?level=9", b"body").fields
        assert re.fullmatch(r"queue;dur=\d+\.\d+, run;dur=\d+\.\d+", fields["server-timing"]), fields
        same(fields["content-type"], "application/zstd")
