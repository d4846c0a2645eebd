"""How simple-salesforce reaches an instance: time limits, the instance's own scheme, and nowhere else."""

import contextlib
import socket
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

_CONNECT_SECONDS = 5.0


class Wire:
    """One call's connection. A caller that stops waiting closes it, so that a thread never outlives its call.

    A time limit for each read is not enough: a server that sends a byte now and then would hold the thread for ever.
    """

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self.headers: Mapping[str, str] = {}
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._is_cut = False

    def __enter__(self) -> "Wire":
        """Take this thread's connections over."""
        _current.wire = self
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the connection to the next call."""
        _current.wire = None
        with self._lock:
            self._socket = None

    def attach(self, connection: socket.socket | None) -> None:
        """Note the socket that carries the call."""
        with self._lock:
            self._socket = connection
        if self._is_cut:
            self.cut()

    def cut(self) -> None:
        """End the call from any thread; does nothing once it is over."""
        with self._lock:
            self._is_cut = True
            if self._socket is not None:
                with contextlib.suppress(OSError):
                    # Below TLS, whose own shutdown would wait for the other side.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class _Current(threading.local):
    wire: Wire | None = None


_current = _Current()


class _Watched(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        fresh = super()._new_conn()
        if _current.wire:
            _current.wire.attach(fresh)
        return fresh

    def getresponse(self) -> Any:
        if _current.wire:
            _current.wire.attach(self.sock)
        return super().getresponse()


class _WatchedTls(_Watched, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Watched


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedTls


class InstanceAdapter(HTTPAdapter):
    """Send what the library addresses to https://instance by the scheme the instance really has.

    The library always says https, sets no time limit, and would follow an absolute address out of a record id with
    our token; this adapter refuses every host but the instance's.
    """

    def __init__(self, instance_url: str) -> None:
        self._instance: SplitResult = urlsplit(instance_url)
        super().__init__(pool_maxsize=1)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools, of connections that can be cut."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send one prepared request. Raises InvalidURL for another host."""
        parts = urlsplit(str(request.url))
        if parts.netloc.removesuffix(":443") != self._instance.netloc.removesuffix(":443"):
            raise requests.exceptions.InvalidURL("not the instance's address")
        request.url = urlunsplit(parts._replace(scheme=self._instance.scheme))
        wire = _current.wire
        longest = wire.timeout if wire else _CONNECT_SECONDS
        times = timeout or (min(_CONNECT_SECONDS, longest), longest)
        answer = super().send(request, stream=stream, timeout=times, verify=verify, cert=cert, proxies=proxies)
        if wire:
            wire.headers = answer.headers
        return answer


class Sessions(threading.local):
    """One requests session for each thread and instance: they are not documented to be shareable."""

    def __init__(self, *, ca_file: str) -> None:
        self._ca_file = ca_file
        self._by_instance: dict[str, requests.Session] = {}

    def for_instance(self, instance_url: str) -> requests.Session:
        """Return this thread's session for an instance."""
        if instance_url not in self._by_instance:
            self._by_instance = {instance_url: self._open(instance_url)}
        return self._by_instance[instance_url]

    def _open(self, instance_url: str) -> requests.Session:
        session = requests.Session()
        session.trust_env = False  # or REQUESTS_CA_BUNDLE would win over our CA file
        session.verify = self._ca_file or True
        session.max_redirects = 0
        adapter: Any = InstanceAdapter(instance_url)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        return session
