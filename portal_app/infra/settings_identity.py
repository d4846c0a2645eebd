"""The settings of sign-in, sessions and limits."""

from pydantic import BaseModel, Field, SecretStr, field_validator

from portal_app.infra.production import PUBLISHED, valid_rate

DEVELOPMENT_SECRET = PUBLISHED[0]


class IdentitySettings(BaseModel):
    """Secrets, lives and limits. Durations are seconds unless the name says otherwise."""

    jwt_secret: SecretStr = Field(SecretStr(DEVELOPMENT_SECRET), description="Signs access tokens; at least 32 bytes")
    jwt_refresh_secret: SecretStr = Field(
        SecretStr(DEVELOPMENT_SECRET), description="Keys the hash of refresh tokens and codes; at least 32 bytes"
    )
    portal_keys: SecretStr = Field(
        SecretStr("1:" + "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="),
        description="Encryption keys as id:base64 of 32 bytes, comma separated; every one of them opens",
    )
    portal_key_current: int = Field(0, ge=0, description="Id of the key that seals; 0 takes the highest of the ring")
    portal_pepper: SecretStr = Field(
        SecretStr(DEVELOPMENT_SECRET), description="Keys the pre-hash of passwords; changing it voids every password"
    )
    portal_index_key: SecretStr = Field(SecretStr(DEVELOPMENT_SECRET), description="Keys the look-up hash of e-mails")
    bcrypt_rounds: int = Field(12, ge=4, le=16, description="Cost of password hashing")
    portal_access_seconds: int = Field(600, gt=0, le=3600, description="Life of an access token")
    portal_idle_seconds: int = Field(
        12 * 3600, gt=0, le=7 * 86400, description="A session ends after this long without use"
    )
    portal_session_seconds: int = Field(
        30 * 86400, gt=0, le=90 * 86400, description="A session ends after this long in any case"
    )
    portal_step_up_seconds: int = Field(
        300, ge=0, le=3600, description="How long a proof of who it is counts for risky changes"
    )
    portal_order_proof_seconds: int = Field(
        12 * 3600, ge=60, description="How long a proof of who it is counts for placing an order"
    )
    portal_refresh_grace_seconds: int = Field(
        60,
        ge=0,
        le=600,
        description="How long several new refresh tokens may follow from one; later the newest alone is valid",
    )
    portal_unlock_seconds: int = Field(
        3600, ge=60, le=86400, description="Life of the mailed link that lifts a locked sign-in"
    )
    portal_code_seconds: int = Field(600, gt=0, le=3600, description="Life of a mailed six-digit code")
    portal_code_attempts: int = Field(5, ge=1, le=10, description="Tries for one mailed code")
    portal_second_step_seconds: int = Field(
        300, gt=0, le=3600, description="How long a sign-in waits for its second step"
    )
    portal_passkey_rp_id: str = Field("", description="Domain that passkeys belong to; PORTAL_URL's host when empty")
    portal_hash_queue: int = Field(24, ge=1, description="Passwords that wait to be checked in one web worker at most")
    portal_hash_reserved: int = Field(8, ge=0, description="How many of these places strangers cannot take")
    portal_hash_seconds: float = Field(5.0, gt=0, description="Longest wait of a password to be checked; then 503")
    portal_sign_in_limit: str = Field(
        "10/minute", description="Wrong sign-ins per network address (IPv6: per /64) from unknown browsers"
    )
    portal_sign_in_total_limit: str = Field(
        "1200/minute", description="Wrong sign-ins of everybody together from unknown browsers"
    )
    portal_account_sign_in_limit: str = Field("20/minute", description="Sign-ins to one account, right or wrong")
    portal_stranger_audit_limit: str = Field(
        "1000/hour",
        description="Failed sign-ins, reset links and refused migrations without an account that the audit keeps",
    )
    portal_request_limit: str = Field(
        "30/minute", description="Mails asked for before sign-in, or passkey sign-ins, per network address"
    )
    portal_lock_tries: int = Field(5, ge=2, description="Failures in a row after which an account rests")
    portal_lock_seconds: int = Field(60, gt=0, description="The first rest; it doubles with every further failure")
    portal_lock_longest_seconds: int = Field(3600, gt=0, description="The longest rest")
    portal_reset_seconds: int = Field(1800, gt=0, le=86400, description="Life of a mailed link for a new password")
    portal_reset_limit: str = Field("5/hour", description="Such links mailed per e-mail address")
    portal_password_limit: str = Field("5/minute", description="Tries of the present password when changing it")
    portal_factor_limit: str = Field(
        "10/15 minutes", description="Tries to confirm or give a second factor per account"
    )
    portal_sign_up_limit: str = Field("10/hour", description="Codes mailed per e-mail address")
    portal_profile_limit: str = Field("30/hour", description="Changes of name, phone, e-mail or address per customer")
    portal_order_limit: str = Field("20/hour", description="Orders placed per customer")
    portal_same_order_limit: str = Field("5/hour", description="Orders with the same contents placed per customer")
    portal_link_limit: str = Field("60/hour", description="Links to WHMCS (invoice, PDF, cards) made per customer")
    portal_change_limit: str = Field(
        "20/hour", description="Changes of one kind per customer that send a mail, or ask a vendor or our team"
    )
    portal_document_limit: str = Field("20/hour", description="Identity documents sent per customer, good or not")
    portal_event_limit: str = Field("600/minute", description="Events per browser tab")
    portal_socket_limit: int = Field(
        100, gt=0, description="Open tabs without a session per network address (IPv6: per /64) and web worker"
    )
    portal_new_socket_limit: str = Field(
        "300/minute", description="Tabs opened without a session per network address and web worker"
    )
    portal_account_socket_limit: int = Field(30, gt=0, description="Open tabs per account and web worker")
    portal_account_new_socket_limit: str = Field("120/minute", description="Tabs opened per account and web worker")
    portal_stranger_seconds: int = Field(
        600, ge=60, description="How long the state of a tab without a session is kept after its last event"
    )
    portal_refusal_limit: str = Field(
        "120/minute", description="Refused forms per network address and web worker that their page tells of"
    )
    portal_key_wait_seconds: float = Field(
        10.0, ge=0, description="How long a repeated API call waits for the first one with its Idempotency-Key"
    )
    portal_calendar_limit: str = Field("60/hour", description="Readings of calendar links per network address")
    portal_case_limit: str = Field("10/hour", description="Support cases opened per customer")
    portal_message_limit: str = Field("60/hour", description="Support messages sent per customer")
    portal_undo_seconds: int = Field(20, ge=0, description="How long a support message can be taken back")
    portal_reopen_days: int = Field(
        14, ge=0, description="How many days after its end a reply reopens a case; later it opens a new one"
    )
    portal_cancellation_cut_off: int = Field(
        25, ge=1, le=28, description="Last day of a month, in Japan, on which a service can be cancelled for its end"
    )
    portal_due_notice_days: int = Field(
        3, ge=0, le=30, description="How many days before it is due an invoice is announced"
    )
    portal_api_limit: str = Field("600/minute", description="API calls per account")

    @field_validator(
        "portal_sign_in_limit",
        "portal_sign_in_total_limit",
        "portal_account_sign_in_limit",
        "portal_stranger_audit_limit",
        "portal_request_limit",
        "portal_order_limit",
        "portal_same_order_limit",
        "portal_link_limit",
        "portal_change_limit",
        "portal_reset_limit",
        "portal_password_limit",
        "portal_factor_limit",
        "portal_sign_up_limit",
        "portal_profile_limit",
        "portal_document_limit",
        "portal_event_limit",
        "portal_new_socket_limit",
        "portal_account_new_socket_limit",
        "portal_refusal_limit",
        "portal_calendar_limit",
        "portal_case_limit",
        "portal_message_limit",
        "portal_api_limit",
    )
    @classmethod
    def _limits_make_sense(cls, text: str) -> str:
        return valid_rate(text)
