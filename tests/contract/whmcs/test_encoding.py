"""PHP's forms and serialized values, against published vectors."""

import base64
import json
import subprocess

import pytest

from portal_app.integrations.whmcs.encoding import (
    php_form,
    php_packed,
    php_serialize,
)
from tests.support.foreign_programs import need

VECTORS = [
    ({"1": "Yahoo"}, b'a:1:{i:1;s:5:"Yahoo";}', "YToxOntpOjE7czo1OiJZYWhvbyI7fQ=="),
    ({"1": "Google"}, b'a:1:{i:1;s:6:"Google";}', "YToxOntpOjE7czo2OiJHb29nbGUiO30="),
    ({"1": 999}, b"a:1:{i:1;i:999;}", "YToxOntpOjE7aTo5OTk7fQ=="),
    (
        {1: 4, 2: {"optionid": 7, "qty": 5}},
        b'a:2:{i:1;i:4;i:2;a:2:{s:8:"optionid";i:7;s:3:"qty";i:5;}}',
        "YToyOntpOjE7aTo0O2k6MjthOjI6e3M6ODoib3B0aW9uaWQiO2k6NztzOjM6InF0eSI7aTo1O319",
    ),
    ({3: "Zürich"}, 'a:1:{i:3;s:7:"Zürich";}'.encode(), "YToxOntpOjM7czo3OiJaw7xyaWNoIjt9"),
    (
        {"nickname": "Ada", "12": "8944500000000000001"},
        b'a:2:{s:8:"nickname";s:3:"Ada";i:12;s:19:"8944500000000000001";}',
        "YToyOntzOjg6Im5pY2tuYW1lIjtzOjM6IkFkYSI7aToxMjtzOjE5OiI4OTQ0NTAwMDAwMDAwMDAwMDAxIjt9",
    ),
    ({1: ""}, b'a:1:{i:1;s:0:"";}', "YToxOntpOjE7czowOiIiO30="),
    ({"01": "x"}, b'a:1:{s:2:"01";s:1:"x";}', "YToxOntzOjI6IjAxIjtzOjE6IngiO30="),
    ({}, b"a:0:{}", "YTowOnt9"),
]


@pytest.mark.parametrize(("value", "serialized", "packed"), VECTORS)
def test_values_are_serialized_as_php_does(value: dict, serialized: bytes, packed: str) -> None:
    assert (php_serialize(value), php_packed(value)) == (serialized, packed)


@pytest.mark.parametrize(("value", "expected"), [(None, b"N;"), (True, b"b:1;"), (False, b"b:0;"), (-5, b"i:-5;")])
def test_scalars_are_serialized_as_php_does(value: object, expected: bytes) -> None:
    assert php_serialize(value) == expected


FORM = {
    "pid": [1, 3],
    "itemdescription": {"13": "a b"},
    "attributes": [{"label": "x"}],
    "on": True,
    "off": False,
    "absent": None,
    "secret": "a+b&c%d#e",
    "city": "港区",
}


def test_php_itself_writes_the_same() -> None:
    php = need("php", get="install PHP's command line")
    values = [value for value, _, _ in VECTORS]
    script = (
        "[$values, $form] = json_decode($argv[1], true);"
        "$packed = array_map(fn($value) => base64_encode(serialize($value)), $values);"
        "echo json_encode([$packed, http_build_query($form)]);"
    )
    done = subprocess.run([php, "-r", script, json.dumps([values, FORM])], capture_output=True, check=True, timeout=60)
    assert json.loads(done.stdout) == [[php_packed(value) for value in values], php_form(FORM)]


def test_forms_follow_phps_rules() -> None:
    assert php_form(FORM) == (
        "pid%5B0%5D=1&pid%5B1%5D=3&itemdescription%5B13%5D=a+b&attributes%5B0%5D%5Blabel%5D=x&on=1&off=0"
        "&secret=a%2Bb%26c%25d%23e&city=%E6%B8%AF%E5%8C%BA"
    )


def test_packed_values_survive_the_form() -> None:
    packed = base64.b64encode(b"\xfb\xff\xfe").decode()
    assert php_form({"customfields": packed}) == "customfields=%2B%2F%2F%2B"
