"""The settings of connections that stay open: how long each may be silent before it counts as dead."""

from pydantic import BaseModel, Field


class ConnectionSettings(BaseModel):
    """One deadline for each kind of lasting connection, in seconds."""

    portal_socket_ping_seconds: float = Field(5.0, gt=0, description="Seconds between two pings to an open page")
    portal_socket_answer_seconds: float = Field(
        8.0, gt=0, description="Longest wait for the answer to such a ping; pages wait two seconds longer for a ping"
    )
    database_answer_seconds: float = Field(
        18.0, ge=1, description="Longest wait for PostgreSQL's answer to one statement; then the connection is replaced"
    )
    redis_silence_seconds: float = Field(
        10.0,
        gt=0,
        description="Longest silence of Redis on a connection that waits for messages, before it is replaced",
    )
    sf_stream_check_seconds: float = Field(
        60.0, gt=0, description="How long a Salesforce event stream may be quiet before its connection is checked"
    )
