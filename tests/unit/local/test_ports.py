"""Ports: the wanted one, the next one when it is taken, the same one tomorrow."""

import socket
from pathlib import Path

from portal_app.local.ports import PortBook, free_port, is_free


def test_the_wanted_port_is_taken_when_it_is_free(tmp_path: Path) -> None:
    wanted = free_port()
    with PortBook(tmp_path) as book:
        assert book.claim("web", wanted) == wanted


def test_a_free_port_is_none_that_an_outgoing_connection_gets() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        # The system took it from the range it uses for outgoing connections, too.
        assert listener.getsockname()[1] > max(free_port() for _ in range(50))


def test_the_next_port_is_used_and_remembered_beside_another_copy(tmp_path: Path) -> None:
    wanted = free_port()
    with socket.socket() as neighbour:
        neighbour.bind(("127.0.0.1", wanted))
        neighbour.listen()
        with PortBook(tmp_path) as book:
            chosen = book.claim("web", wanted)
        assert chosen > wanted
    with PortBook(tmp_path) as book:
        assert book.claim("web", wanted) == chosen


def test_two_copies_that_start_together_get_different_ports(tmp_path: Path) -> None:
    wanted = free_port()
    with PortBook(tmp_path / "one") as one, PortBook(tmp_path / "two") as other:
        first = one.claim("web", wanted)
        assert other.claim("web", wanted) > first
        # Claimed again before its program starts: nobody else has got it meanwhile.
        assert one.claim("web", wanted) == first


def test_a_claimed_port_that_another_program_took_is_replaced(tmp_path: Path) -> None:
    with PortBook(tmp_path) as book, socket.socket() as neighbour:
        lost = book.claim("web", free_port())
        neighbour.bind(("127.0.0.1", lost))
        neighbour.listen()
        assert book.claim("web", lost) > lost


def test_a_changed_preferred_port_overrides_the_remembered_one(tmp_path: Path) -> None:
    with PortBook(tmp_path) as book:
        book.claim("web", free_port())
        wish = free_port()
        assert book.claim("web", wish) == wish


def test_two_names_never_share_one_port(tmp_path: Path) -> None:
    wanted = free_port()
    with PortBook(tmp_path) as book:
        assert book.claim("web", wanted) != book.claim("sandbox", wanted)


def test_a_port_with_a_listener_is_not_called_free() -> None:
    with socket.socket() as neighbour:
        neighbour.bind(("127.0.0.1", 0))
        neighbour.listen()
        assert not is_free(neighbour.getsockname()[1])
