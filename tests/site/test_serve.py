"""The local server of the built book."""

import threading
import urllib.request
from contextlib import contextmanager

import pytest

from companion.site import serve
from companion.site.serve import make_server


@contextmanager
def running(server):
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def read(address):
    with urllib.request.urlopen(address, timeout=10) as response:  # noqa: S310 (http://127.0.0.1)
        return response.read()


@pytest.mark.parametrize("kind", [str, lambda path: path])
def test_a_file_is_served(tmp_path, kind):
    (tmp_path / "index.html").write_bytes(b"<h1>The book</h1>")
    with running(make_server(kind(tmp_path), 0)) as address:
        assert read(f"{address}/") == b"<h1>The book</h1>"


def test_the_terminal_stays_quiet(tmp_path, capfd):
    (tmp_path / "a.txt").write_bytes(b"a")
    with running(make_server(tmp_path, 0)) as address:
        read(f"{address}/a.txt")
    assert capfd.readouterr() == ("", "")


def test_it_is_not_open_to_the_network(tmp_path):
    with make_server(tmp_path, 0) as server:
        assert server.server_address[0] == "127.0.0.1"


def test_where_a_port_is_taken_the_next_is_used(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"a")
    with running(make_server(tmp_path)) as first, running(make_server(tmp_path)) as second:
        assert first != second
        assert read(f"{first}/a.txt") == read(f"{second}/a.txt") == b"a"


def test_where_every_port_is_taken_the_range_is_named(tmp_path, monkeypatch):
    with make_server(tmp_path, 0) as server:
        port = server.server_port
        monkeypatch.setattr(serve, "_LAST_PORT", port)
        with pytest.raises(OSError, match=f"no free port between {port} and {port}"):
            make_server(tmp_path, port)


def test_a_missing_folder_says_what_to_do(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no '.*html'; build the book first"):
        make_server(tmp_path / "html")
