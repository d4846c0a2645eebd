"""From an agent's comment to the open page, and from Send to the own page and to Salesforce."""

import time

from playwright.sync_api import Page

from benchmarks.chromium import chromium, context_of
from benchmarks.stage import Stage
from benchmarks.support.both_sides import BothSides, both_sides, p95
from benchmarks.table import Row, within

COMMENTS, SILENT = 20, 3
SHOWN_SECONDS, SILENT_SECONDS, OWN_MS, SENT_SECONDS = 1.0, 45.0, 100.0, 1.0
_LONGEST_MS = 90_000
# The time (unix seconds) is taken after the frame that shows the text.
_WATCH = """words => {
    window.__shown = 0;
    const list = document.querySelector('ol[aria-label]');
    const look = () => {
        if (window.__shown || !list.innerText.includes(words)) return;
        observer.disconnect();
        requestAnimationFrame(() => setTimeout(
            () => { window.__shown = (performance.timeOrigin + performance.now()) / 1000; }));
    };
    const observer = new MutationObserver(look);
    observer.observe(list, {subtree: true, childList: true, characterData: true});
}"""
# The time of the click is taken in the page: the way from here to the browser is no part of the figure.
_CLICK = """() => {
    const button = [...document.querySelectorAll('button[type=submit]')].find(each => each.innerText.trim() === 'Send');
    window.__clicked = (performance.timeOrigin + performance.now()) / 1000;
    button.click();
}"""
_SENT_AT = """
SELECT extract(epoch FROM sent_at)::float FROM support_messages WHERE case_id = %s AND seq = {seq}
    AND sent_at IS NOT NULL
"""


def measure(stage: Stage) -> list[Row]:
    """Let both sides write, one after the other, on one open page."""
    with both_sides(stage.support) as sides, chromium() as browser:
        page = context_of(browser, sides.customer).new_page()
        case_id, sf_case_id = sides.ask("Answers")
        page.goto(f"{sides.demo.url}/support/cases/{case_id}")
        page.get_by_label("Your message").wait_for(timeout=_LONGEST_MS)
        page.wait_for_load_state("networkidle")
        shown = [_answer(sides, page, sf_case_id, f"Answer {turn:02}.") for turn in range(COMMENTS)]
        own = [_reply(sides, page, case_id, turn) for turn in range(1, COMMENTS + 1)]
        sides.set_faults(special={"comment_silent": 1})
        silent = [_answer(sides, page, sf_case_id, f"Silence {turn:02}.") for turn in range(SILENT)]
        sides.set_faults()
    return [
        within("answer: on the open page, p95", p95(shown), "s", limit=SHOWN_SECONDS),
        within("answer: on the open page, no event, slowest", max(silent), "s", limit=SILENT_SECONDS),
        within("reply: on the own page, p95", p95([ms for ms, _ in own]), "ms", limit=OWN_MS),
        within("reply: sent, p95", p95([sent for _, sent in own]), "s", limit=SENT_SECONDS),
    ]


def _answer(sides: BothSides, page: Page, sf_case_id: str, text: str) -> float:
    """Return the seconds from an agent's comment until the page shows it."""
    page.evaluate(_WATCH, text)
    began = time.time()
    sides.agent(sf_case_id, "comment", text=text)
    return _shown_at(page) - began


def _reply(sides: BothSides, page: Page, case_id: str, number: int) -> tuple[float, float]:
    """Return how long a message takes to the own page, in milliseconds, and to Salesforce, in seconds."""
    text = f"Reply {number:02}."
    page.get_by_label("Your message").fill(text)
    page.get_by_text("Draft saved").wait_for(timeout=_LONGEST_MS)
    page.evaluate(_WATCH, text)
    page.evaluate(_CLICK)
    shown, clicked = _shown_at(page), float(page.evaluate("window.__clicked"))
    sent = float(sides.first(_SENT_AT.format(seq=number), case_id))
    return (shown - clicked) * 1000, sent - clicked


def _shown_at(page: Page) -> float:
    page.wait_for_function("window.__shown > 0", timeout=_LONGEST_MS)
    return float(page.evaluate("window.__shown"))
