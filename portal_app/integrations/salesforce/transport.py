"""How simple-salesforce reaches an instance: time limits, the instance's own scheme, and nowhere else."""

import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter

_CONNECT_SECONDS = 5.0


class InstanceAdapter(HTTPAdapter):
    """Send what the library addresses to https://instance by the scheme the instance really has.

    The library always says https, sets no time limit, and would follow an absolute address out of a record id with
    our token; this adapter refuses every host but the instance's.
    """

    def __init__(self, instance_url: str, *, timeout: float) -> None:
        self._instance: SplitResult = urlsplit(instance_url)
        self._times = (min(_CONNECT_SECONDS, timeout), timeout)
        super().__init__(pool_maxsize=1)

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
        return super().send(
            request, stream=stream, timeout=timeout or self._times, verify=verify, cert=cert, proxies=proxies
        )


class Sessions(threading.local):
    """One requests session for each thread and instance: they are not documented to be shareable."""

    def __init__(self, *, ca_file: str, timeout: float) -> None:
        self._ca_file = ca_file
        self._timeout = timeout
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
        adapter: Any = InstanceAdapter(instance_url, timeout=self._timeout)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        return session
