"""The OAuth endpoints: token, user info and revocation."""

from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sandbox.faults import Faults
from sandbox.salesforce.calls import Answer
from sandbox.salesforce.ids import to_18
from sandbox.salesforce.login.login import Login, LoginRefused
from sandbox.salesforce.rest.rest import bearer_token, guarded, json_response
from sandbox.salesforce.sessions import Sessions
from sandbox.salesforce.tables import INTEGRATION_USER_ID
from sandbox.settings import SandboxSettings


class OAuthDoor:
    """Serve /services/oauth2."""

    def __init__(self, settings: SandboxSettings, login: Login, sessions: Sessions, faults: Faults) -> None:
        self._settings = settings
        self._login = login
        self._sessions = sessions
        self._faults = faults

    @property
    def routes(self) -> list[BaseRoute]:
        """The routes to mount at the root."""
        return [
            Route("/services/oauth2/token", self._token, methods=["POST"]),
            Route("/services/oauth2/userinfo", self._user_info, methods=["GET"]),
            Route("/id/{org_id}/{user_id}", self._identity, methods=["GET"]),
            Route("/services/oauth2/revoke", self._revoke, methods=["GET", "POST"]),
        ]

    async def _token(self, request: Request) -> Response:
        form = await _form(request)
        return await guarded(self._faults, "token", lambda: self._answer_login(request, form))

    def _answer_login(self, request: Request, form: dict[str, str]) -> Response:
        base = _base(request)
        try:
            if self._faults.take_special("salesforce", "login_refused"):
                raise LoginRefused("invalid_grant", "user hasn't approved this consumer")
            self._login.check(form, {base, self._settings.base_url})
        except LoginRefused as error:
            body = {"error": error.error, "error_description": error.description}
            return json_response(Answer(400, body, {"Cache-Control": "no-store"}))
        body = {
            "access_token": self._sessions.open(INTEGRATION_USER_ID),
            "scope": "api id",
            "instance_url": base,
            "id": f"{base}/id/{to_18(self._settings.sf_org_id)}/{INTEGRATION_USER_ID}",
            "token_type": "Bearer",
        }
        return json_response(Answer(200, body, {"Cache-Control": "no-store"}))

    async def _user_info(self, request: Request) -> Response:
        return await guarded(self._faults, "userinfo", lambda: self._answer_user_info(request))

    def _answer_user_info(self, request: Request) -> Response:
        user_id = self._sessions.user_of(bearer_token(request))
        if user_id is None:
            return Response("Bad_OAuth_Token", 403, media_type="text/html")
        org_id, username = to_18(self._settings.sf_org_id), self._settings.sf_username
        body = {
            "sub": f"{_base(request)}/id/{org_id}/{user_id}",
            "user_id": user_id,
            "organization_id": org_id,
            "preferred_username": username,
            "nickname": username.partition("@")[0],
            "name": "Portal Integration",
            "email": username,
            "active": True,
        }
        return json_response(Answer(200, body))

    async def _identity(self, request: Request) -> Response:
        return await guarded(self._faults, "userinfo", lambda: self._answer_identity(request))

    def _answer_identity(self, request: Request) -> Response:
        """Answer the URL that a login names: the user behind the token, under the names older than OpenID's."""
        user_id = self._sessions.user_of(bearer_token(request))
        if user_id is None:
            return Response("Bad_OAuth_Token", 403, media_type="text/html")
        org_id, username = to_18(self._settings.sf_org_id), self._settings.sf_username
        if (to_18(request.path_params["org_id"]), to_18(request.path_params["user_id"])) != (org_id, user_id):
            return Response("Wrong_Org", 403, media_type="text/html")
        base = _base(request)
        rest = f"{base}/services/data/v{{version}}/"
        body = {
            "id": f"{base}/id/{org_id}/{user_id}",
            "asserted_user": True,
            "user_id": user_id,
            "organization_id": org_id,
            "username": username,
            "nick_name": username.partition("@")[0],
            "display_name": "Portal Integration",
            "first_name": "Portal",
            "last_name": "Integration",
            "email": username,
            "active": True,
            "user_type": "STANDARD",
            "urls": {"rest": rest, "sobjects": f"{rest}sobjects/", "query": f"{rest}query/"},
        }
        return json_response(Answer(200, body))

    async def _revoke(self, request: Request) -> Response:
        token = request.query_params.get("token") or (await _form(request)).get("token", "")
        if not self._sessions.revoke(token):
            body = {"error": "invalid_token", "error_description": "invalid token: " + token}
            return json_response(Answer(400, body))
        return Response(status_code=200)


def _base(request: Request) -> str:
    return f"{request.url.scheme}://{request.headers.get('host', request.url.netloc)}"


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True))
