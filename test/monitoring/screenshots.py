"""python3 screenshots.py PRESS FOLDER: makes the pictures of docs/monitoring.md anew: the page of PRESS after a
minute of changing load, by day and by night and on a phone, and then while SIGTERM drains."""

import math
import os
import pathlib
import sys
import threading
import time

from browser import Browser
from watching import Load, Press, WatchedPress, hard_to_compress, under_load

SECONDS = 75
VIEWS = {"light": {"height": 1180}, "dark": {"dark": True, "height": 1180}, "phone": {"width": 390, "height": 844}}


def main():
    Press.binary, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    with WatchedPress("--threads", "2", "--capacity", "24") as press:
        browsers = {name: Browser(**options) for name, options in VIEWS.items()}
        for browser in browsers.values():
            browser.open(press.admin)
            browser.run("document.querySelector('#window').value = '60';"
                        "document.querySelector('#window').dispatchEvent(new Event('change'))")
        clients = [Load(press, os.urandom(8_000 * (1 + i % 7)), level=1 + i % 9, pause=0.02) for i in range(34)]

        def sway():  # from calm to more than there is room for, and back
            while not clients[0].over.is_set():
                share = 0.5 + 0.5 * math.sin(time.monotonic() / 4)
                for i, client in enumerate(clients):
                    client.pause = 0.004 if i < share * len(clients) else 0.25
                time.sleep(0.2)

        with under_load(clients):
            threading.Thread(target=sway, daemon=True).start()
            time.sleep(SECONDS)
            for name, browser in browsers.items():
                browser.screenshot(folder / f"page-{name}.png", whole=name != "phone")
        busy = press.keep_busy(7, hard_to_compress(2 << 20))
        press.send_signal()
        light = browsers["light"]
        light.until("return document.querySelector('#state').textContent === 'draining'", "it drains")
        light.until("return pools.get('press').last.time_in.draining > 1.5", "it has drained for a while")
        light.screenshot(folder / "page-drain.png")
        for browser in browsers.values():
            browser.close()
        press.end_report(0)
        del busy


main()
