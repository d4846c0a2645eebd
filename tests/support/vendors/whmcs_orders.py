"""A new client of WHMCS and what they order."""

from uuid import uuid4

from portal_app.domain.money import Money
from portal_app.domain.orders.order import OrderLine
from portal_app.domain.profile.customer import Profile

FORM = {
    "first_name": "Hanako", "last_name": "Sato", "phone": "090-1234-5678", "first_name_kana": "ハナコ",
    "last_name_kana": "サトウ", "postcode": "106-0044", "prefecture": "東京都", "city": "港区", "town": "東麻布",
    "street": "１-5", "building": "ビル101", "city_romanised": "Minato-ku", "town_romanised": "Higashiazabu",
    "building_romanised": "Biru 101",
}  # fmt: skip


VPN = OrderLine("VPN-REMOTE-ACCESS-USA-SF", "VPN", "monthly", Money(2500), "01uxx0000000001", 33)


FEE = OrderLine("VPN-ACTIVATION-FEE", "Fee", "onetime", Money(3000), "01uxx0000000002", 37)


def newcomer() -> Profile:
    """Return somebody new."""
    return Profile.parse(f"{uuid4().hex}@example.jp", FORM)
