"""Copies third-party files from node_modules into the book's own `_static`, and points Sphinx at them."""

import json
import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config

from companion.site.icons import icon_css
from companion.site.models import publish_models
from companion.widgets.picture import PALETTE

PROJECT = Path(__file__).parents[2]
_MODULES = PROJECT / "node_modules"
_OWN = Path(__file__).parent / "static"

# From node_modules to _static/vendor. BertViz loads jQuery, and require.js and d3 (see `_bundle_for_bertviz`).
FILES = {
    "katex/dist/katex.min.css": "katex.min.css",
    "plotly.js-basic-dist-min/plotly-basic.min.js": "plotly.js",
    "jquery/dist/jquery.min.js": "jquery.min.js",
    "onnxruntime-web/dist/ort.wasm.bundle.min.mjs": "ort.mjs",
    "onnxruntime-web/dist/ort-wasm-simd-threaded.wasm": "ort.wasm",
    "@huggingface/tokenizers/dist/tokenizers.min.mjs": "tokenizers.mjs",
}


def configure(app: Sphinx, config: Config) -> None:
    """Point KaTeX at our copy, and add the book's own style sheets and scripts."""
    if not _MODULES.is_dir():
        raise FileNotFoundError(
            f"{_MODULES} is missing: run `make book`, or `npm ci` in the project's folder"
        )
    config.katex_css_path = "vendor/katex.min.css"
    config.katex_js_path = str(_MODULES / "katex/dist/katex.min.js")
    app.add_css_file("book.css")
    app.add_css_file("icons.css")
    app.add_js_file("plots.js", loading_method="defer")


def copy_files(app: Sphinx, exception: Exception | None) -> None:
    """Fill `_static` with what the pages ask for."""
    if exception or app.builder.format != "html":
        return
    static = Path(app.outdir) / "_static"
    vendor = static / "vendor"
    (vendor / "fonts").mkdir(parents=True, exist_ok=True)
    for source, name in FILES.items():
        shutil.copyfile(_MODULES / source, vendor / name)
    for font in (_MODULES / "katex/dist/fonts").glob("*.woff2"):
        shutil.copyfile(font, vendor / "fonts" / font.name)
    _bundle_for_bertviz(vendor)
    # Beside require.js, plotly would register as an anonymous AMD module, which require.js refuses.
    plotly = vendor / "plotly.js"
    plotly.write_text(f"(function(define){{{plotly.read_text('utf-8')}\n}})();", encoding="utf-8")
    (static / "icons.css").write_text(icon_css(_MODULES), encoding="utf-8")
    book = (_OWN / "book.css").read_text("utf-8")
    (static / "book.css").write_text(f"{_palette_css()}\n{book}", encoding="utf-8")
    for script in ("plots.js", "live.js", "live_worker.js"):
        shutil.copyfile(_OWN / script, static / script)
    runtime = json.loads((_MODULES / "onnxruntime-web/package.json").read_text("utf-8"))
    publish_models(static, runtime["version"])


def _bundle_for_bertviz(vendor: Path) -> None:
    """Make require.js and d3 small; d3 defines itself as a module, which is how require.js takes it."""
    scripts = os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]])
    esbuild = [_MODULES / ".bin/esbuild", "--minify", "--log-level=warning"]
    d3 = [
        "--bundle",
        "--format=iife",
        "--global-name=d3",
        "--footer:js=define(function(){return d3});",
    ]
    for source, name, options in (
        (_MODULES / "requirejs/require.js", "require.min.js", []),
        (_OWN / "d3_for_bertviz.js", "d3.min.js", d3),
    ):
        command = [*esbuild, *options, source, f"--outfile={vendor / name}"]
        subprocess.run(command, check=True, env={**os.environ, "PATH": scripts})  # noqa: S603


def _palette_css() -> str:
    """The widgets' colours as custom properties of the page, light and dark."""

    def properties(mode: str) -> str:
        return "".join(
            f"--companion-{name}:{value};"
            for name, value in PALETTE[mode].items()
            if isinstance(value, str)
        )

    return f":root{{{properties('light')}}}\nhtml[data-theme=dark]{{{properties('dark')}}}"
