"""Answers of Freebit, valid and malformed."""

from typing import Any

from tests.support.vendors.scripted_server import half, http

SECRET, ACCOUNT = "s+cr&t%", "07012345678"


HTML = http(b"<html><h1>Oops!</h1></html>")


DEAD = {"resultCode": "401", "status": {"message": "x", "statusCode": "401"}}


def ok(**data: Any) -> bytes:
    return http({"resultCode": "100", "status": {"message": "OK", "statusCode": "200"}, **data})


SENSELESS = [
    HTML, http(b""), http(b"[]"), http(b'"x"'), http(b"null"), http({"status": {}}), http({"resultCode": True}),
    http({"resultCode": None}), http({"resultCode": {}}), half(b'{"resultCode":"100","sta'), b"", http(b"<html>", 503),
    http({"resultCode": "100", "status": {"statusCode": "500"}}), http({"resultCode": "100"}, 302), http(b"\xff\xfe"),
    http({"resultCode": "100"}), http({"resultCode": ACCOUNT}),
]  # fmt: skip
