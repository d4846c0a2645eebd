"""A customer changes their address, phone number and mailbox, and sees it happen."""

import re
import time

from playwright.sync_api import expect

from tests.support.running.demo import AIKO, Demo


def test_a_customer_moves_house_and_the_page_follows(visit, demo: Demo) -> None:
    page = visit("/account/address", email=AIKO)
    page.get_by_label("Postcode").fill("5300001")
    expect(page.get_by_label("Town", exact=True)).to_have_value("梅田")
    page.get_by_label("Block and house number").fill("2-4-9")
    page.get_by_role("button", name="Save address").click()
    page.wait_for_url("**/account")
    expect(page.locator("address")).to_contain_text("梅田2-4-9")
    expect(page.get_by_text("Your change is on its way.")).to_have_count(0)
    assert "Your address was changed" in demo.mail(AIKO, "address")


def test_wrong_entries_are_marked_and_stay_typed(visit) -> None:
    page = visit("/account", email=AIKO)
    page.get_by_label("Phone").fill("12")
    page.get_by_role("button", name="Save").first.click()
    expect(page.get_by_text(re.compile("Enter a Japanese phone number"))).to_be_visible()
    expect(page.get_by_label("Phone")).to_have_value("12")


def test_a_new_mailbox_is_proven_by_its_code_in_the_chosen_language(visit, demo: Demo) -> None:
    page = visit("/ja/account", email=AIKO)
    page.get_by_label("メールの言語").select_option("ja")
    page.get_by_role("button", name="保存").last.click()
    new = f"aiko.{time.time_ns()}@example.jp"
    page.get_by_label("新しいメールアドレス").fill(new)
    page.get_by_role("button", name="コードを送る").click()
    page.get_by_label("コード").fill("000000")
    page.get_by_role("button", name="メールアドレスを変更").click()
    expect(page.get_by_text("残り4回")).to_be_visible()
    page.get_by_role("button", name="今のアドレスを使い続ける").click()
    expect(page.get_by_label("新しいメールアドレス")).to_be_visible()
    assert "確認するため" in demo.mail(new, "確認コード")
