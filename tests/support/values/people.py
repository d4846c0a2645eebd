"""A person of the tests as a sign-up form."""

ADDRESS = {
    "postcode": "106-0044",
    "prefecture": "東京都",
    "city": "港区",
    "town": "東麻布",
    "street": "1-5-3",
    "building": "光ビル 101",
    "city_romanised": "Minato-ku",
    "town_romanised": "Higashi-Azabu",
    "building_romanised": "Hikari Bldg. 101",
}
PERSON = {"first_name": "太郎", "last_name": "田中", "phone": "090-1234-5678"}
