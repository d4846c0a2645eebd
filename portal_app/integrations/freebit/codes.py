"""What a result code means: success, a dead key, no such line, a locked line, or a refusal."""

import re
from collections.abc import Mapping
from typing import Any, Literal

from portal_app.domain.errors import ExternalRejected
from portal_app.infra.settings import Settings

VENDOR = "freebit"
# Codes stand in errors and logs: the number of a line, eleven digits or more, is none.
_CODE = re.compile(r"[A-Za-z0-9_-]{1,10}", re.ASCII)
Meaning = Literal["success", "unclear", "dead_key", "missing", "locked", "refused"]


class FreebitRejected(ExternalRejected):
    """Freebit understood and refused; `codes` is "family-detail". Its own words may quote numbers and are not kept."""

    vendor = VENDOR

    def __init__(self, operation: str, codes: str) -> None:
        super().__init__(f"{operation}: {codes}")
        self.codes = codes


class Codes:
    """The settings' list of codes. An entry is a family (400) or a full code (400-356)."""

    def __init__(self, settings: Settings) -> None:
        self._success = (settings.freebit_success_code, settings.freebit_success_status)
        self._meanings: list[tuple[Meaning, frozenset[str]]] = [
            ("dead_key", _listed(settings.freebit_auth_codes)),
            ("missing", _listed(settings.freebit_missing_codes)),
            ("locked", _listed(settings.freebit_locked_codes)),
        ]

    def read(self, body: Mapping[str, Any]) -> tuple[str, Meaning]:
        """Return the codes as "family-detail" and what they mean. Raises ValueError where there are none."""
        family, detail = _code(body.get("resultCode")), ""
        status = body.get("status")
        if isinstance(status, Mapping) and status.get("statusCode") not in (None, ""):
            detail = _code(status["statusCode"])
        codes = f"{family}-{detail}" if detail else family
        if family == self._success[0]:
            return codes, "success" if self._success[1] in ("", detail) else "unclear"
        return codes, next((meaning for meaning, known in self._meanings if {family, codes} & known), "refused")


def _listed(text: str) -> frozenset[str]:
    return frozenset(code.strip() for code in text.split(",") if code.strip())


def _code(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int) or not _CODE.fullmatch(str(value)):
        raise ValueError("no result code")
    return str(value)
