"""The parts that measurements share: demo, peers and folders, created on first use."""

from contextlib import ExitStack
from functools import cached_property
from pathlib import Path

from benchmarks.demo import NO_LIMITS, Demo, running_demo
from benchmarks.peers.nest_service import NestPeer, has_node, nest_peer
from benchmarks.peers.serve import reflex_peer
from benchmarks.support.both_sides import support_demo
from portal_app.local.servers.valkey import EmbeddedValkey
from portal_app.local.supervisor import print_line


class Stage:
    """The shared parts of a run; `stack` stops them. Peers are built in `work`, homes in `scratch`, which is new."""

    def __init__(self, work: Path, scratch: Path, stack: ExitStack) -> None:
        self.work = work
        self.scratch = scratch
        self._stack = stack

    @cached_property
    def demo(self) -> Demo:
        """The demo with raised rate limits."""
        print_line("Starting the demo to measure ...")
        return self._stack.enter_context(running_demo(self.scratch / "demo", **NO_LIMITS))

    @cached_property
    def support(self) -> Demo:
        """A demo with raised rate limits whose support messages leave at once."""
        print_line("Starting the demo for support ...")
        return self._stack.enter_context(support_demo(self.scratch / "support"))

    @cached_property
    def nest(self) -> NestPeer | None:
        """The NestJS peer with its own Valkey; None without Node."""
        if not has_node():
            print_line("No Node here: the NestJS peer is left out.")
            return None
        print_line("Installing the NestJS peer ...")
        redis = self._stack.enter_context(EmbeddedValkey(self.scratch / "nest-valkey"))
        return self._stack.enter_context(nest_peer(self.work, redis_url=redis.url()))

    @cached_property
    def lean(self) -> str:
        """The URL of the lean peer, whose state is in its own Valkey."""
        print_line("Building the lean peer ...")
        redis = self._stack.enter_context(EmbeddedValkey(self.scratch / "valkey"))
        return self._stack.enter_context(reflex_peer("lean", self.work, redis_url=redis.url()))

    @cached_property
    def default(self) -> str:
        """The URL of the peer with the framework's default page."""
        print_line("Building the default peer ...")
        return self._stack.enter_context(reflex_peer("default", self.work))
