"""Access tokens (signed JWTs with a short life) and random tokens (stored only as keyed hashes)."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from portal_app.domain.errors import NotSignedIn
from portal_app.infra.clock import timestamp

_ISSUER, _AUDIENCE, _TYPE = "portal", "portal-web", "at+jwt"
_MAX_CACHED = 20_000
_CLAIMS = jwt.JWTClaimsRegistry(
    now=lambda: int(timestamp()),
    iss={"essential": True, "value": _ISSUER},
    aud={"essential": True, "value": _AUDIENCE},
    exp={"essential": True},
    nbf={"essential": True},
    sub={"essential": True},
    sid={"essential": True},
    jti={"essential": True},
    amr={"essential": True},
)


@dataclass(frozen=True, slots=True)
class Access:
    """The content of a valid access token: user, session, factors (amr) and expiry (unix seconds)."""

    user_id: UUID
    session_id: UUID
    factors: tuple[str, ...]
    expires_at: int


class AccessTokens:
    """Issues and verifies access tokens: HS256 only; type, issuer, audience, times and ids are required."""

    def __init__(self, secret: str, *, lifetime: int) -> None:
        self._key = OctKey.import_key(secret)
        self.lifetime = lifetime
        # A verified token stays valid until it expires, and one page sends the same token many times.
        self._verified: dict[str, Access] = {}

    def issue(self, user_id: UUID, session_id: UUID, factors: tuple[str, ...]) -> str:
        """Return a signed token for one session."""
        now = int(timestamp())
        claims = {
            "iss": _ISSUER,
            "aud": _AUDIENCE,
            "sub": str(user_id),
            "sid": str(session_id),
            "amr": list(factors),
            "jti": secrets.token_urlsafe(12),
            "iat": now,
            "nbf": now - 30,
            "exp": now + self.lifetime,
        }
        return jwt.encode({"alg": "HS256", "typ": _TYPE}, claims, self._key)

    def verify(self, token: str) -> Access:
        """Return the content of a token. Raises NotSignedIn for a forged, altered, foreign or expired token."""
        known = self._verified.get(token)
        if known is not None and known.expires_at > timestamp():
            return known
        access = self._decode(token)
        if len(self._verified) >= _MAX_CACHED:
            self._verified.clear()
        return self._verified.setdefault(token, access)

    def _decode(self, token: str) -> Access:
        try:
            decoded = jwt.decode(token, self._key, algorithms=["HS256"])
            if decoded.header.get("typ") != _TYPE:
                raise NotSignedIn("wrong token type")
            _CLAIMS.validate(decoded.claims)
            claims = decoded.claims
            return Access(UUID(claims["sub"]), UUID(claims["sid"]), tuple(claims["amr"]), int(claims["exp"]))
        except (JoseError, ValueError, TypeError, AttributeError) as error:
            raise NotSignedIn(type(error).__name__) from error


class RandomTokens:
    """Generates random tokens and six-digit codes, and the keyed hashes under which they are stored."""

    def __init__(self, secret: str) -> None:
        self._key = secret.encode()

    @staticmethod
    def new() -> str:
        """Return 256 random bits in URL-safe base64."""
        return secrets.token_urlsafe(32)

    @staticmethod
    def new_code() -> str:
        """Return six random digits."""
        return f"{secrets.randbelow(1_000_000):06d}"

    def hash(self, token: str, purpose: str) -> bytes:
        """Return the keyed hash of a token for one purpose."""
        return hmac.new(self._key, f"{purpose}\0{token}".encode("utf-8", "surrogatepass"), hashlib.sha256).digest()

    @staticmethod
    def equals(one: bytes, other: bytes) -> bool:
        """Compare two hashes in constant time."""
        return hmac.compare_digest(one, other)
