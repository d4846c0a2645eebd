"""Result codes and their messages. Only 100, 210 and 400-356 are known; the others are this sandbox's own."""

from typing import Any

Body = dict[str, Any]

OK = ("100", "200")


class Refused(Exception):
    """A business refusal: HTTP 200 with a family (resultCode), a detail (statusCode) and this message."""

    def __init__(self, family: str, detail: str, message: str) -> None:
        super().__init__(f"{family}-{detail} {message}")
        self.family = family
        self.detail = detail
        self.message = message


def envelope(data: Body) -> Body:
    """Return a successful answer around the data of an operation."""
    return {"resultCode": OK[0], "status": {"message": "OK", "statusCode": OK[1]}, **data}


def refusal(error: Refused) -> Body:
    """Return the answer that says no."""
    return {"resultCode": error.family, "status": {"message": error.message, "statusCode": error.detail}}


def no_account() -> Refused:
    """The account does not exist, or its SIM was not registered before (known)."""
    return Refused("210", "210", "アカウント不在エラー")


def unsupported_pattern() -> Refused:
    """ALADIN operated together with a kind of addition that it cannot do (known)."""
    return Refused("400", "356", "未サポートパターンエラー")


def wrong(field: str) -> Refused:
    """A field is missing or malformed."""
    return Refused("400", "300", f"パラメータエラー ({field})")


def not_allowed(why: str) -> Refused:
    """The account is not in a state for this."""
    return Refused("400", "310", f"状態エラー ({why})")


def unauthenticated() -> Refused:
    """The auth key is wrong or has expired."""
    return Refused("401", "401", "認証エラー")


def locked(is_other: int = 0) -> Refused:
    """Another change of this account is under way; the code is a guess, and a switch has another one."""
    codes = ("423", "001") if is_other else ("409", "409")
    return Refused(*codes, "処理中エラー")
