"""A route that seals and stores what it gets, and does nothing else: what durable storage costs on this machine."""

import os
from uuid import uuid4

import psycopg
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from starlette.requests import Request
from starlette.responses import Response

_PART = 256 * 1024
_KEY = AESGCM(os.urandom(32))
TABLE = """
CREATE TABLE IF NOT EXISTS bare_parts (upload uuid, number int, content bytea NOT NULL, PRIMARY KEY (upload, number));
ALTER TABLE bare_parts ALTER COLUMN content SET STORAGE EXTERNAL
"""
_INSERT = "INSERT INTO bare_parts VALUES (%s, %s, %s)"


async def store(request: Request) -> Response:
    """Store each 256 KiB in a transaction of its own, in the database named in `PEER_DATABASE`."""
    upload, number, held = uuid4(), 0, bytearray()
    async with await psycopg.AsyncConnection.connect(os.environ["PEER_DATABASE"], autocommit=True) as database:
        async for chunk in request.stream():
            held += chunk
            while len(held) >= _PART:
                nonce = os.urandom(12)
                sealed = nonce + _KEY.encrypt(nonce, bytes(held[:_PART]), upload.bytes)
                del held[:_PART]
                await database.execute(_INSERT, (upload, number, sealed))
                number += 1
    return Response(str(upload))
