"""Secrets in messages to support: found in the forms that people write, and nothing else taken for one."""

import pytest

from portal_app.domain.errors import SecretsFound
from portal_app.domain.support.secrets import refuse_secrets, secrets_in


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("My card 4242 4242 4242 4242 was charged", {"card"}),
        ("カード４２４２-４２４２-４２４２-４２４２です", {"card"}),
        ("Amex 378282246310005.", {"card"}),
        ("password: hunter", {"password"}),
        ("The password is h8nter2", {"password"}),
        ("My password is: hunter", {"password"}),
        ("パスワードはabcd1234です", {"password"}),
        ("my PIN is 0410", {"pin"}),
        ("暗証番号1234で開きません", {"pin"}),
        ("PUK code 12345678", {"pin"}),
        ("CVC: 123", {"pin"}),
        ("EID 89049032000001000000128012345678", {"eid"}),
        ("89049032 00000100 00001280 12345678", {"eid"}),
        ("card 4242424242424242, pin 1234", {"card", "pin"}),
        ("4242 4242 4242 4241", set()),
        ("ICCID 8981100022313000128", set()),
        ("My password is wrong.", set()),
        ("パスワードは忘れました", set()),
        ("Call 03-1234-5678 or 090-1234-5678", set()),
        ("Order 2026113000012345, invoice 1234", set()),
        ("Please change my PIN", set()),
        ("shipping 1234", set()),
        ("", set()),
    ],
)
def test_secrets_are_told_from_other_numbers_and_words(text: str, kinds: set[str]) -> None:
    assert secrets_in(text) == kinds


def test_a_text_with_a_secret_is_asked_about_once() -> None:
    text = "password: hunter"
    with pytest.raises(SecretsFound) as refused:
        refuse_secrets(text, confirmed=False)
    assert (refused.value.code, refused.value.status, refused.value.kinds) == ("secrets_found", 409, ("password",))
    refuse_secrets(text, confirmed=True)
    refuse_secrets(text, confirmed=False, known=refused.value.kinds)
