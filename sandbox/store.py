"""All of the sandbox's state: documents and files in one SQLite file, so that a kill -9 loses no answered call."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

Document = dict[str, Any]
PART_BYTES = 256 * 1024

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    kind TEXT NOT NULL, key TEXT NOT NULL, position INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL,
    UNIQUE (kind, key));
CREATE TABLE IF NOT EXISTS file_parts (key TEXT NOT NULL, number INTEGER NOT NULL, content BLOB NOT NULL,
    PRIMARY KEY (key, number));
CREATE TABLE IF NOT EXISTS sequences (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""


class Store:
    """Keep documents by (kind, key), in order of first insertion. Safe to call from several threads."""

    def __init__(self, path: Path | str) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        # The system keeps what a killed process wrote; only a crash of the machine could lose it.
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.executescript(_SCHEMA)

    def get(self, kind: str, key: str | int) -> Document | None:
        """Return a fresh copy of one document, or None."""
        with self._lock:
            row = self._db.execute("SELECT body FROM documents WHERE kind=? AND key=?", (kind, str(key))).fetchone()
        return json.loads(row[0]) if row else None

    def put(self, kind: str, key: str | int, body: Document) -> None:
        """Insert or replace one document; a replaced one keeps its place in the order."""
        with self._lock:
            self._db.execute(
                "INSERT INTO documents (kind, key, body) VALUES (?,?,?) "
                "ON CONFLICT (kind, key) DO UPDATE SET body=excluded.body",
                (kind, str(key), json.dumps(body)),
            )

    def delete(self, kind: str, key: str | int) -> None:
        """Remove one document; removing what is not there is no error."""
        with self._lock:
            self._db.execute("DELETE FROM documents WHERE kind=? AND key=?", (kind, str(key)))

    def clear(self, kind: str) -> None:
        """Remove all documents of a kind."""
        with self._lock:
            self._db.execute("DELETE FROM documents WHERE kind=?", (kind,))

    def all(self, kind: str) -> list[Document]:
        """Return all documents of a kind, oldest first."""
        with self._lock:
            rows = self._db.execute("SELECT body FROM documents WHERE kind=? ORDER BY position", (kind,)).fetchall()
        return [json.loads(row[0]) for row in rows]

    def put_file(self, key: str, content: BinaryIO) -> None:
        """Keep the bytes of a file, read from where it stands, part by part."""
        with self.transaction():
            self._db.execute("DELETE FROM file_parts WHERE key=?", (key,))
            for number, part in enumerate(iter(lambda: content.read(PART_BYTES), b"")):
                self._db.execute("INSERT INTO file_parts VALUES (?,?,?)", (key, number, part))

    def file(self, key: str) -> Iterator[bytes]:
        """Yield the bytes of a file, part by part; nothing for one that is not kept."""
        number = 0
        while True:
            with self._lock:
                query = "SELECT content FROM file_parts WHERE key=? AND number=?"
                row = self._db.execute(query, (key, number)).fetchone()
            if row is None:
                return
            yield row[0]
            number += 1

    def next_number(self, sequence: str, start: int = 1) -> int:
        """Return the next number of a named sequence, beginning with `start`."""
        with self._lock:
            row = self._db.execute(
                "INSERT INTO sequences VALUES (?,?) ON CONFLICT (name) DO UPDATE SET value=value+1 RETURNING value",
                (sequence, start),
            ).fetchone()
        return int(row[0])

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make everything written inside one commit: all of it or nothing. Nested use joins the outer one."""
        with self._lock:
            if self._depth == 0:
                self._db.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self._db.execute("ROLLBACK")
                raise
            self._depth -= 1
            if self._depth == 0:
                self._db.execute("COMMIT")

    def reset(self) -> None:
        """Forget everything."""
        with self.transaction():
            self._db.execute("DELETE FROM documents")
            self._db.execute("DELETE FROM file_parts")
            self._db.execute("DELETE FROM sequences")
