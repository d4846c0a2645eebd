"""How the API shows files that customers send."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from portal_app.api.http.resource import From, Resource
from portal_app.domain.uploads.file_kind import REFUSALS
from portal_app.language import _


@dataclass
class UploadView(Resource):
    """One file. `state`: receiving, received (being checked), checked, refused or sent; `refusal` says why in words.

    duplicate: the same file is part of the draft or message already, and is sent once.
    """

    id: UUID
    name: str
    size: int
    received: int
    state: str
    refusal: Annotated[str, From("refusal", lambda reason: _(REFUSALS.get(reason, "")) if reason else "")]
    expires_at: datetime


@dataclass
class UploadList(Resource):
    """The files of a draft."""

    items: list[UploadView]
