"""Serves the built book on a local port: `python -m companion.site.serve FOLDER`."""

import functools
import http.server
import sys
from pathlib import Path

_FIRST_PORT, _LAST_PORT = 8000, 8099


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_args: object) -> None:
        """Keep the terminal for the address."""


def make_server(
    folder: str | Path, first_port: int = _FIRST_PORT
) -> http.server.ThreadingHTTPServer:
    """Return a server of `folder` on the first free port from `first_port` on (0: any).

    Raises:
        FileNotFoundError: there is no such folder.
        OSError: no port is free.
    """
    if not Path(folder).is_dir():
        raise FileNotFoundError(
            f"folder: there is no {str(folder)!r}; build the book first with `make book`"
        )
    handler = functools.partial(_Quiet, directory=str(folder))
    last_port = max(first_port, _LAST_PORT)
    for port in range(first_port, last_port + 1):
        try:
            return http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
        except OSError:
            continue
    raise OSError(f"no free port between {first_port} and {last_port}")


def main() -> None:
    """Serve until Ctrl-C."""
    server = make_server(sys.argv[1])
    print(f"\nThe book is at http://127.0.0.1:{server.server_port}/  (Ctrl-C stops it)", flush=True)  # noqa: T201
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print("\nStopped.")  # noqa: T201


if __name__ == "__main__":
    main()
