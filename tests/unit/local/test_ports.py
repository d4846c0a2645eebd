"""Ports: the wanted one, the next one when it is taken, the same one tomorrow."""

import socket
from pathlib import Path

from portal_app.local.ports import PortBook, free_port, is_free


def test_the_wanted_port_is_taken_when_it_is_free(tmp_path: Path) -> None:
    wanted = free_port()
    assert PortBook(tmp_path).claim("web", wanted) == wanted


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
        chosen = PortBook(tmp_path).claim("web", wanted)
        assert chosen > wanted
    assert PortBook(tmp_path).claim("web", wanted) == chosen


def test_a_changed_wish_counts_more_than_the_memory(tmp_path: Path) -> None:
    book = PortBook(tmp_path)
    book.claim("web", free_port())
    wish = free_port()
    assert book.claim("web", wish) == wish


def test_two_names_never_share_one_port(tmp_path: Path) -> None:
    book = PortBook(tmp_path)
    wanted = free_port()
    assert book.claim("web", wanted) != book.claim("sandbox", wanted)


def test_a_port_with_a_listener_is_not_called_free() -> None:
    with socket.socket() as neighbour:
        neighbour.bind(("127.0.0.1", 0))
        neighbour.listen()
        assert not is_free(neighbour.getsockname()[1])
