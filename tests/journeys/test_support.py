"""Support in a browser, both sides played: a question, its answer on the open page, a reply, and taking one back."""

import base64
from pathlib import Path

import httpx
from playwright.sync_api import Page, expect

from tests.support.running.demo import Demo
from tests.support.running.world import BEN

TYPE_AND_READ = """(box, text) => {
  box.value = text;
  box.dispatchEvent(new Event("input", { bubbles: true }));
  return document.getElementById("text-saved").hidden;
}"""
BAD = {"name": "page.html", "mimeType": "text/html", "buffer": b"<html></html>"}


def case_at_salesforce(demo: Demo, subject: str) -> dict:
    """Return the newest case with a subject, as an agent sees it."""
    cases = httpx.get(f"{demo.office}/api/support", timeout=20).raise_for_status().json()
    return next(case for case in cases if case["Subject"] == subject)


def agent_says(demo: Demo, subject: str, **comment: object) -> None:
    """Comment on the newest case with a subject, as an agent does at Salesforce."""
    agent_does(demo, subject, "comment", **comment)


def agent_does(demo: Demo, subject: str, action: str, **values: object) -> None:
    """Do something to the newest case with a subject."""
    case = case_at_salesforce(demo, subject)
    httpx.post(f"{demo.office}/api/support/{case['Id']}/{action}", json=values, timeout=20).raise_for_status()


def test_a_question_about_an_invoice_is_answered_on_the_open_page(visit, demo: Demo) -> None:
    page: Page = visit("/billing/invoices/2", email=BEN)
    page.get_by_role("link", name="Ask about this").click()
    expect(page.get_by_role("checkbox", name="Send this along: Invoice 2")).to_be_checked()
    expect(page.get_by_label("Topic")).to_have_value("billing")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("Write a subject.")).to_be_visible()
    ask_with_a_secret(page)
    page.wait_for_url("**/support/cases/*")
    conversation = page.get_by_role("list", name="Conversation")
    expect(conversation).to_contain_text("Why is the line there twice?")
    expect(page.get_by_text("With our team")).to_be_visible()
    # The worker hands it over meanwhile; the page shows Salesforce's number by itself.
    expect(page.get_by_text("follows as soon as it is sent")).to_have_count(0)
    agent_says(demo, "Two lines on one invoice", text="Only for colleagues", public=False)
    agent_says(demo, "Two lines on one invoice", text="The second line is the router.")
    expect(conversation).to_contain_text("The second line is the router.")
    expect(conversation).not_to_contain_text("Only for colleagues")
    send_and_take_back(page)
    page.get_by_label("Your message").fill("Thank you, 了解です")
    expect(page.get_by_text("Draft saved")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Your message")).to_have_value("Thank you, 了解です")
    page.get_by_role("button", name="Send").click()
    expect(conversation).to_contain_text("Thank you, 了解です")
    read_the_answer_and_rate(page, demo)
    page.goto("/support/cases")
    expect(page.get_by_role("link", name="Two lines on one invoice")).to_be_visible()


def send_and_take_back(page: Page) -> None:
    """Send a message of two parts and take it back: what is told below the box is told of what stands there."""
    conversation, box = page.get_by_role("list", name="Conversation"), page.get_by_label("Your message")
    text, parts = "Too quick " + "a" * 4100, page.get_by_text("Long message: it is sent in 2 parts.")
    box.fill(text)
    expect(parts).to_be_visible()
    page.get_by_role("button", name="Send").click()
    expect(conversation).to_contain_text("Too quick")
    expect(parts).to_have_count(0)
    box.fill("One more thing")
    page.get_by_role("button", name="Take it back").click()
    expect(conversation).not_to_contain_text("Too quick")
    expect(box).to_have_value(f"{text}\n\nOne more thing")
    expect(parts).to_be_visible()
    expect(page.get_by_text("Draft saved")).to_be_visible()
    # It says so only of the text that stands there.
    assert box.evaluate(TYPE_AND_READ, "a" * 4100)


def ask_with_a_secret(page: Page) -> None:
    """Write a question that is kept across a reload, and send it although it holds a PIN."""
    page.get_by_label("Your question").fill("Why is the line there twice?")
    expect(page.get_by_text("Draft saved")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Your question")).to_have_value("Why is the line there twice?")
    page.get_by_label("Subject").fill("Two lines on one invoice")
    page.get_by_label("Your question").fill("Why is the line there twice? My PIN is 1234")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("Your text seems to hold a PIN or security code.")).to_be_visible()
    page.get_by_role("button", name="Send anyway").click()


def read_the_answer_and_rate(page: Page, demo: Demo) -> None:
    """Come to an answer from the dashboard, see the case closed, and say how it was handled."""
    conversation = page.get_by_role("list", name="Conversation")
    page.goto("/orders")
    agent_says(demo, "Two lines on one invoice", text="You are welcome.")
    page.goto("/dashboard")
    expect(page.get_by_text("Our team replied")).to_be_visible()
    page.get_by_role("link", name="Read the answer").click()
    expect(conversation).to_contain_text("You are welcome.")
    # Sent right after it was typed: no draft of it is left.
    expect(page.get_by_label("Your message")).to_have_value("")
    agent_does(demo, "Two lines on one invoice", "set", Status="Resolved")
    expect(conversation).to_contain_text("The case was closed.")
    page.get_by_text("Good", exact=True).click()
    page.get_by_role("button", name="Tell us").click()
    expect(page.get_by_text("Thank you for telling us how this went.")).to_be_visible()
    page.goto("/support/new")
    expect(page.get_by_label("Your question")).to_have_value("")


def add_and_remove(page: Page, log: Path) -> None:
    """Leave one file in the list: a refused one is taken away, and the first of two equal ones."""
    page.get_by_label("Files", exact=True).first.set_input_files([BAD])
    expect(page.get_by_text("page.html cannot be sent.")).to_be_visible()
    page.get_by_role("button", name="Remove: page.html").click()
    # The keyboard goes on where the next file is chosen.
    expect(page.locator("#files-input")).to_be_focused()
    page.get_by_label("Files", exact=True).first.set_input_files([log])
    expect(page.get_by_text("Ready to be sent", exact=True)).to_be_visible()
    page.reload()
    expect(page.get_by_text("接続ログ.txt")).to_be_visible()
    # The same once more is sent once, also where the first of both is taken away.
    page.get_by_label("Files", exact=True).first.set_input_files([log])
    expect(page.get_by_text("You have added this file already. It is sent once.")).to_be_visible()
    page.get_by_role("button", name="Remove: 接続ログ.txt").first.click()
    expect(page.get_by_text("Ready to be sent", exact=True)).to_be_visible()


def test_files_go_with_a_question_survive_a_reload_and_come_back_from_the_team(
    visit, demo: Demo, tmp_path: Path
) -> None:
    page: Page = visit("/support/new", email=BEN)
    log = tmp_path / "接続ログ.txt"
    log.write_bytes(b"line lost\n" * 150_000)
    add_and_remove(page, log)
    page.get_by_label("Topic").select_option("internet")
    page.get_by_label("Subject").fill("Line lost every night")
    page.get_by_label("Your question").fill("The log is attached.")
    page.get_by_label("Files", exact=True).first.set_input_files([BAD])
    expect(page.get_by_text("Web pages and SVG pictures cannot be sent.")).to_be_visible()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("Wait until your files have arrived")).to_be_visible()
    page.get_by_role("button", name="Remove: page.html").click()
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/support/cases/*")
    conversation = page.get_by_role("list", name="Conversation")
    sent = conversation.get_by_role("link", name="接続ログ.txt")
    with page.expect_download() as download:
        sent.click()
    assert Path(download.value.path()).read_bytes() == log.read_bytes()
    cases = httpx.get(f"{demo.office}/api/support", timeout=20).raise_for_status().json()
    case = next(case for case in cases if case["Subject"] == "Line lost every night")
    answer = {"name": "手順書.pdf", "content": base64.b64encode(b"%PDF-1.7").decode()}
    httpx.post(f"{demo.office}/api/support/{case['Id']}/file", json=answer, timeout=20).raise_for_status()
    expect(conversation.get_by_role("link", name="手順書.pdf")).to_be_visible()
    page.get_by_text("Files do not go through?").click()
    page.get_by_label("Text for this file").fill("As a form. My PIN is 1234")
    page.get_by_label("One file").set_input_files([log])
    page.get_by_role("button", name="Send message and file").click()
    expect(page.get_by_label("Text for this file")).to_have_value("As a form. My PIN is 1234")
    page.get_by_label("One file").set_input_files([log])
    page.get_by_label("Send anyway").check()
    page.get_by_role("button", name="Send message and file").click()
    expect(conversation).to_contain_text("As a form. My PIN is 1234")
