"""The identity check: its status, and the form for a document."""

from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import quote

import reflex as rx

from portal_app.domain.profile.kyc_document import CheckStatus, IdentityCheck
from portal_app.domain.uploads.file_kind import REFUSALS
from portal_app.language import _
from portal_app.language.format import time
from portal_app.state.shell.page_state import FormResult
from portal_app.state.shell.standing import StatusLabel
from portal_app.state.shell.upload_place import UploadPlace
from portal_app.wiring.portal import portal


@dataclass(frozen=True, slots=True)
class _Words:
    word: str
    tone: str
    story: str


_STATUSES: dict[CheckStatus, _Words] = {
    "not_submitted": _Words(
        "Not sent yet",
        "neutral",
        "For a line with calls the law asks us to check who holds it. Lines with data only need no check.",
    ),
    "submitted": _Words(
        "Being checked",
        "waiting",
        "Our team compares the document with your details, usually within a working day. This page changes by itself.",
    ),
    "verified": _Words("Verified", "ok", "Nothing more to do: lines with calls can be opened for you."),
    "rejected": _Words("Not accepted", "problem", "Our team needs another document. Send it here."),
}
_ON_ITS_WAY = (
    "We have your document and are handing it to our team. This can take a while when one of our systems does not "
    "answer; you need not send it again."
)
_LOST = "We could not hand your document to our team, and deleted it here. Send it again, or another one."

_ACTION = "/api/me/identity-document"


def check_standing(check: IdentityCheck) -> StatusLabel:
    """Return the status of an identity check."""
    words = _STATUSES[check.status]
    return StatusLabel(_(words.word), words.tone)


def check_story(check: IdentityCheck) -> str:
    """Return what the status means and what happens next."""
    if check.was_lost:
        return _(REFUSALS.get(check.refusal, _LOST))
    return _(_ON_ITS_WAY) if check.is_pending else _(_STATUSES[check.status].story)


class VerificationPage(FormResult, rx.State):
    """The status of the check. `onward` is the page that led here, or an empty text."""

    topics: ClassVar[frozenset[str]] = frozenset({"account"})

    status: str = "not_submitted"
    word: str = ""
    tone: str = "neutral"
    story: str = ""
    note: str = ""
    sent: str = ""
    is_open: bool = False
    onward: str = ""
    uploading: UploadPlace = UploadPlace()

    async def _open_page(self) -> None:
        """Read the status of the check, and the error of the last try."""
        await self._read_result("document")
        self.onward = _onward(self._query("next"))
        action = f"{_ACTION}?next={quote(self.onward, safe='')}" if self.onward else _ACTION
        self.uploading = UploadPlace.for_document(action)
        await self._read_page()

    async def _read_page(self) -> None:
        check = await portal().profile.kyc_documents.check_for(await self._customer())
        standing = check_standing(check)
        self.status, self.word, self.tone = check.status, standing.word, standing.tone
        self.story, self.is_open = check_story(check), check.is_open
        self.note = check.note if check.status == "rejected" else ""
        self.sent = time(check.submitted_at) if check.submitted_at and not check.is_open else ""


def _onward(text: str) -> str:
    """Return the path if it is a checkout page of the portal, else an empty text."""
    path = text.removeprefix("/ja")
    is_ours = path == "/checkout" or path.startswith(("/checkout?", "/checkout/"))
    return text if is_ours and len(text) <= 300 and text.isascii() and text.isprintable() else ""
