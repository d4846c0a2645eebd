"""What a customer wants to be told, by topic: in the portal and by mail."""

from dataclasses import dataclass

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from portal_app.api.http.dependencies import SignedIn
from portal_app.api.http.idempotency import IdempotentCallDependency
from portal_app.api.http.request_parsing import Body, read, takes
from portal_app.api.http.resource import Resource
from portal_app.api.http.responses import json
from portal_app.domain.notifications.preference import MANDATORY, TopicPreference, parse_topic
from portal_app.wiring.portal import portal

router = APIRouter(prefix="/api/me/notifications", tags=["account"])


class ChangedChoice(BaseModel):
    """What is to change of one topic (orders, services, billing, cards, security); what is left out stays."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    topic: str = Field(max_length=20)
    portal: bool | None = None
    mail: bool | None = None


class ChangedChoices(Body):
    """The topics to change."""

    items: list[ChangedChoice] = Field(max_length=20)


@dataclass
class Choice(Resource):
    """What is told of one topic, and which of it cannot be turned off."""

    topic: str
    portal: bool
    mail: bool
    always: list[str]


@dataclass
class Choices(Resource):
    """All topics."""

    items: list[Choice]


@router.get("", response_model=Choices)
async def choices(access: SignedIn) -> Response:
    """Return what is told of each topic, and what of it cannot be turned off."""
    return _shown(await portal().notifications.preferences.choices_for(access.user_id))


@router.patch("", response_model=Choices, openapi_extra=takes(ChangedChoices, form=False))
async def change(request: Request, access: SignedIn, once: IdempotentCallDependency) -> Response:
    """Change what is told. What protects the account, and the mails about ending services, stay on."""
    entries = await read(request, ChangedChoices, form=False)
    wanted = [(parse_topic(each.topic), each.portal, each.mail) for each in entries.items]

    async def changed() -> None:
        await portal().notifications.preferences.change(access.user_id, wanted)

    await once(entries, changed)
    return _shown(await portal().notifications.preferences.choices_for(access.user_id))


def _shown(found: list[TopicPreference]) -> Response:
    return json(Choices([_view(choice) for choice in found]))


def _view(choice: TopicPreference) -> Choice:
    always = sorted(way for topic, way in MANDATORY if topic == choice.topic)
    return Choice(choice.topic, choice.portal, choice.mail, always)
