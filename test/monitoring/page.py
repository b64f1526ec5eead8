"""The page, in a real browser: while load runs, and while SIGTERM drains.

With KEEP_SCREENSHOTS set to a folder, pictures of it are left there.
"""

import os
import pathlib
import tempfile

from browser import Browser
from watching import Load, WatchedPress, hard_to_compress, same, under_load, until

FLIGHT = "#jobs-in-flight svg"


def screenshot(browser, name, whole=True):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(os.environ.get("KEEP_SCREENSHOTS", folder)) / name
        browser.screenshot(path, whole)
        assert path.stat().st_size > 10_000, f"the picture {name} is empty"


def no_complaints(browser):
    """Nothing on the console: no error of the script, nothing that the page's own policy forbade."""
    same([entry["message"] for entry in browser.log("browser") if "favicon" not in entry["message"]], [], "console")


def scenario_the_page_follows_the_load_and_asks_nobody_else():
    with WatchedPress("--threads", "2", "--capacity", "8") as press, Browser() as browser:
        browser.requests()  # those of the browser's own start
        browser.open(press.admin)
        same(browser.text("h1"), "press")
        with under_load([Load(press, os.urandom(100_000), level=3) for _ in range(12)]):
            browser.until("return document.querySelector('#state').textContent === 'running'", "it is running")
            browser.until("return document.querySelector('#throughput .area') !== null", "throughput is drawn")
            browser.until("return document.querySelector('#refusals .area') !== null", "refusals are drawn")
            browser.until("return document.querySelector('#jobs-in-flight .area') !== null", "jobs in flight are drawn")
            rate = "parseFloat(document.querySelector('#throughput .legend b').textContent)"
            browser.until(f"return {rate} > 1", "jobs a second are told")
            same(browser.text("#jobs-in-flight .legend li:last-child b"), "8", "the capacity")
            screenshot(browser, "load.png")
        asked = [url for url in browser.requests() if not url.startswith(("data:", "chrome:"))]
        assert len(asked) > 2 and all(url.startswith(press.admin) for url in asked), asked
        no_complaints(browser)


def scenario_the_page_is_at_home_in_the_dark_and_on_a_phone():
    with WatchedPress() as press:
        grounds = []
        for name, options in {"light": {}, "dark": {"dark": True}, "phone": {"width": 360, "height": 740}}.items():
            with Browser(**options) as browser:
                browser.open(press.admin)
                browser.until("return document.querySelectorAll('#jobs-in-flight .curve').length > 0", "a curve")
                grounds.append(browser.run("return getComputedStyle(document.body).backgroundColor"))
                wide = browser.run("return document.documentElement.scrollWidth - innerWidth")
                assert wide <= 0, f"{name}: {wide} pixels wider than the window"
                small = browser.run("return [...document.querySelectorAll('button, select')].filter("
                                    "(one) => one.offsetParent && one.offsetHeight < 38).length")
                same(small, 0, "controls too small for a finger")
                no_complaints(browser)
        same((grounds[0] != grounds[1], grounds[0] == grounds[2]), (True, True), f"grounds {grounds}")


def scenario_the_page_can_be_read_with_keys_and_by_a_screen_reader():
    with WatchedPress("--capacity", "5") as press, Browser() as browser:
        browser.open(press.admin)
        browser.until(f"return document.querySelector('{FLIGHT}').getAttribute('aria-valuetext').includes('capacity 5')",
                      "the plot is told in words")
        until(lambda: browser.run("return pools.get('press').samples.length") > 4, "a few samples")
        browser.press(FLIGHT, "\ue012")  # arrow to the left
        assert browser.run("return document.querySelectorAll('.cursor').length") == 6, "a cursor in each plot"
        assert "ago" in browser.run(f"return document.querySelector('{FLIGHT}').getAttribute('aria-valuetext')")
        browser.press(FLIGHT, "\ue00c")  # escape
        same(browser.run("return document.querySelectorAll('.cursor').length"), 0, "cursors")
        browser.press("#pause", " ")
        same(browser.run("return document.querySelector('#pause').getAttribute('aria-pressed')"), "true")
        unnamed = browser.run("""return [...document.querySelectorAll('button, select, [tabindex], a')].filter((one) =>
            !(one.getAttribute('aria-label') || one.textContent.trim() || one.labels?.length)).map((one) => one.outerHTML)""")
        same(unnamed, [], "controls without a name")
        same(browser.run("return document.documentElement.lang"), "en")
        no_complaints(browser)


def scenario_the_page_names_a_job_that_is_stuck():
    with WatchedPress("--threads", "1", "--stuck-after", "0.01") as press, Browser() as browser:
        browser.open(press.admin)
        browser.until("return document.querySelector('#state').textContent === 'running'", "it is running")
        same(browser.run("return document.querySelector('#stuck').hidden"), True, "nothing is stuck")
        with under_load([Load(press, hard_to_compress(1 << 20), level=19) for _ in range(3)]) as clients:
            said = browser.until("return document.querySelector('#stuck:not([hidden]) li')?.textContent", "a stuck job")
        assert said.startswith("‘compress’ on thread "), said
        same([set(client.answers) for client in clients], [{200}] * 3, "statuses")
        browser.until("return document.querySelector('#stuck').hidden", "nothing is stuck any more")
        no_complaints(browser)


def scenario_the_page_shows_the_drain_as_it_happens():
    with WatchedPress("--threads", "1", "--capacity", "8", "--drain", "120") as press, Browser() as browser:
        browser.open(press.admin)
        browser.until("return document.querySelector('#state').textContent === 'running'", "it is running")
        busy = press.keep_busy(3, hard_to_compress(2 << 20))
        press.send_signal()
        browser.until("return document.querySelector('#state').textContent === 'draining'", "it drains")
        current = browser.until("return document.querySelector('#phases [aria-current]').textContent", "a phase")
        assert current.startswith("draining") and "left" in current, current
        browser.until("return document.querySelector('.phase-mark') !== null", "the phase is marked in the plots")
        screenshot(browser, "drain.png")
        same(press.end_report(0)["completed"], 3, "jobs completed")
        for client in busy:
            same(client.answer().status, 200)
        browser.until("return document.querySelector('#state').textContent === 'no answer'", "the end is noticed")
        assert "Last seen: " in browser.text("#notice")
