"""Single sign-on at WHMCS: implements SsoGateway."""

from urllib.parse import urlsplit

from portal_app.domain.errors import ExternalRejected
from portal_app.infra.settings import Settings
from portal_app.integrations.whmcs.client import VENDOR, WHMCSClient, WHMCSRejected
from portal_app.integrations.whmcs.encoding import FormValue
from portal_app.integrations.whmcs.reading import not_found_when


class WHMCSSso:
    """Make links that sign a client in at WHMCS (CreateSsoToken)."""

    def __init__(self, client: WHMCSClient, settings: Settings) -> None:
        self._client = client
        self._url = settings.whmcs_url

    async def sign_on_link(self, client_id: int, path: str) -> str:
        """Return a single-use link (60 s). Raises ValueError for a path that is not relative."""
        place = _relative(path)
        wanted: dict[str, FormValue] = {
            "client_id": client_id,
            "destination": "sso:custom_redirect",
            "sso_redirect_path": place,
        }
        try:
            with not_found_when("Invalid client_id"):
                body = await self._client.call("CreateSsoToken", wanted, safe=True)
        except WHMCSRejected as error:
            if error.message.startswith("SSO authentication blocked"):
                error.user_message = "Signing in from here is switched off in your billing account's security settings."
            raise
        link = str(body.get("redirect_url", ""))
        if _origin(link) != _origin(self._url):
            raise ExternalRejected("CreateSsoToken: the link leads elsewhere", vendor=VENDOR)
        return link


def _relative(path: str) -> str:
    place = path.removeprefix("/")
    parts = urlsplit(place)
    if parts.scheme or parts.netloc or place.startswith(("/", "\\")) or any(ord(sign) < 33 for sign in place):
        raise ValueError("not a relative path")
    return place


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme.lower(), parts.netloc.lower()
