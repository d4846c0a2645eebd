"""The settings of connections that stay open: how long each may be silent before it counts as dead."""

from pydantic import BaseModel, Field


class ConnectionSettings(BaseModel):
    """One deadline for each kind of lasting connection, in seconds."""

    portal_socket_ping_seconds: float = Field(
        7.0, gt=0, description="Seconds between two pings to an open page; a page that receives none reconnects"
    )
    portal_socket_answer_seconds: float = Field(
        5.0, gt=0, description="Longest wait for a page's answer to a ping, and two seconds less than a page's for one"
    )
    database_answer_seconds: float = Field(
        18.0,
        ge=1,
        description="Longest wait for PostgreSQL's answer to one statement; then the connection is given up. The "
        "server ends a statement after five sixths of it; a lock is given up after half of it",
    )
    redis_silence_seconds: float = Field(
        10.0,
        gt=0,
        description="How long a connection to Redis that waits for messages may be silent before it is replaced; "
        "half of it is the longest wait for an open page's state",
    )
    sf_stream_check_seconds: float = Field(
        60.0,
        gt=0,
        description="How long a Salesforce event stream may be quiet before its connection is checked; without "
        "an answer in ten seconds it is opened again",
    )
