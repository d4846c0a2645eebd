"""What a SIM order asks, answered."""

from portal_app.domain.money import Money
from tests.support.builders import catalog_item

EID = "89049032000001000000012345678954"


HOLDER = {
    "last_name": "田中",
    "first_name": "愛子",
    "last_name_kana": "タナカ",
    "first_name_kana": "アイコ",
    "gender": "F",
    "birth_date": "1990-02-28",
}


SERVICE = catalog_item(sku="SIM-1", name="SIM", category="sim", price=Money(2000), has_voice=True)
