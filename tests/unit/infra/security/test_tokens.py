"""Tokens: forged, altered, foreign and expired ones are refused."""

import base64
import json
import time
from uuid import UUID, uuid4

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from portal_app.domain.errors import NotSignedIn
from portal_app.infra.security.tokens import AccessTokens, RandomTokens

SECRET = "a secret of more than thirty-two bytes"
TOKENS = AccessTokens(SECRET, lifetime=60)
USER, SESSION = UUID(int=1), UUID(int=2)


def forged(*, header: dict | None = None, secret: str = SECRET, without: str = "", **claims: object) -> str:
    now = int(time.time())
    good = {
        "iss": "portal",
        "aud": "portal-web",
        "sub": str(USER),
        "sid": str(SESSION),
        "amr": ["pwd"],
        "jti": "j",
        "nbf": now,
        "exp": now + 60,
    }
    good.update(claims)
    good.pop(without, None)
    return jwt.encode({"alg": "HS256", "typ": "at+jwt", **(header or {})}, good, OctKey.import_key(secret))


def unsigned(alg: str) -> str:
    _, body, _ = forged().split(".")
    written = base64.urlsafe_b64encode(json.dumps({"alg": alg, "typ": "at+jwt"}).encode()).decode().rstrip("=")
    return f"{written}.{body}."


def altered() -> str:
    header, _, signature = forged().split(".")
    return f"{header}.{forged(sub=str(uuid4())).split('.')[1]}.{signature}"


def test_an_issued_token_says_who_in_which_session_and_how_proven() -> None:
    access = TOKENS.verify(TOKENS.issue(USER, SESSION, ("pwd", "otp")))
    assert (access.user_id, access.session_id, access.factors) == (USER, SESSION, ("pwd", "otp"))
    assert 55 < access.expires_at - time.time() <= 60


BAD = {
    "no signature": unsigned("none"),
    "no signature, other spelling": unsigned("nOnE"),
    "algorithm of another family": unsigned("RS256"),
    "another HMAC": unsigned("HS512"),
    "another key": forged(secret="another secret of thirty-two bytes!"),
    "altered body": altered(),
    "wrong type": forged(header={"typ": "JWT"}),
    "wrong issuer": forged(iss="other"),
    "wrong audience": forged(aud="portal-api"),
    "expired": forged(exp=int(time.time()) - 1),
    "not yet valid": forged(nbf=int(time.time()) + 600),
    "subject is no id": forged(sub="1"),
    "subject is a number": forged(sub=1),
    "factors are missing a list": forged(amr=7),
    "expiry is a word": forged(exp="soon"),
    "empty": "",
    "dots": "..",
    "words": "not.a.token",
    "not ASCII": "é.é.é",
    "half a surrogate pair": "\ud800",
    "deep JSON": base64.urlsafe_b64encode(b"[" * 5000).decode() + ".e30.e30",
    "huge": "a" * 200_000,
    **{f"without {claim}": forged(without=claim) for claim in ("iss", "aud", "sub", "sid", "amr", "jti", "nbf", "exp")},
}


@pytest.mark.parametrize("token", BAD.values(), ids=BAD.keys())
def test_a_foreign_or_expired_token_is_refused(token: str) -> None:
    with pytest.raises(NotSignedIn):
        TOKENS.verify(token)


def test_a_random_token_is_stored_as_a_hash_that_depends_on_key_and_purpose() -> None:
    random = RandomTokens("key")
    token = random.new()
    assert len(token) >= 43
    assert token != random.new()
    assert random.hash(token, "refresh") == random.hash(token, "refresh")
    assert random.hash(token, "refresh") != random.hash(token, "sign-up")
    assert random.hash(token, "refresh") != RandomTokens("other").hash(token, "refresh")
    assert token.encode() not in random.hash(token, "refresh")


def test_codes_are_six_digits_with_their_zeros() -> None:
    codes = {RandomTokens.new_code() for _ in range(500)}
    assert all(len(code) == 6 and code.isdigit() and code.isascii() for code in codes)
    assert len(codes) > 450
