"""Access tokens (signed, short-lived) and random tokens (stored only as keyed hashes)."""

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
_MOST_REMEMBERED = 20_000
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
    """What a valid access token says: who, in which session, proven how, until when (unix seconds)."""

    user_id: UUID
    session_id: UUID
    factors: tuple[str, ...]
    expires_at: int


class AccessTokens:
    """Issue and check access tokens: HS256 only, type, issuer, audience, times and ids all required."""

    def __init__(self, secret: str, *, lifetime: int) -> None:
        self._key = OctKey.import_key(secret)
        self.lifetime = lifetime
        # What was found right once stays right, to the letter, until it expires: a page asks with one token many times.
        self._found_right: dict[str, Access] = {}

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
        """Return what a token says. Raises NotSignedIn for anything forged, altered, foreign or expired."""
        known = self._found_right.get(token)
        if known is not None and known.expires_at > timestamp():
            return known
        access = self._read(token)
        if len(self._found_right) >= _MOST_REMEMBERED:
            self._found_right.clear()
        return self._found_right.setdefault(token, access)

    def _read(self, token: str) -> Access:
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
    """Make random tokens and six-digit codes, and the keyed hashes under which they are stored."""

    def __init__(self, secret: str) -> None:
        self._key = secret.encode()

    @staticmethod
    def new() -> str:
        """Return 256 random bits, fit for a URL or cookie."""
        return secrets.token_urlsafe(32)

    @staticmethod
    def new_code() -> str:
        """Return six random digits."""
        return f"{secrets.randbelow(1_000_000):06d}"

    def hash(self, token: str, purpose: str) -> bytes:
        """Return the hash under which a token of one purpose is stored."""
        return hmac.new(self._key, f"{purpose}\0{token}".encode("utf-8", "surrogatepass"), hashlib.sha256).digest()

    @staticmethod
    def equals(one: bytes, other: bytes) -> bool:
        """Compare two hashes in constant time."""
        return hmac.compare_digest(one, other)
