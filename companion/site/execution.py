"""Chapters run on all cores before Sphinx reads them; it would run one after the other."""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import nbformat
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn, JupyterCacheAbstract
from jupyter_cache.executors.utils import single_nb_execution
from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

_LOG = logging.getLogger(__name__)


def run_ahead(app: Sphinx, env: BuildEnvironment, *_lists: set[str]) -> list[str]:
    """Run every chapter that the execution cache does not have, and put it there.

    One that fails is not put there: MyST-NB will run it again, and tell what is wrong.
    """
    cache = get_cache(str(Path(app.outdir).parent / ".jupyter_cache"))
    paths = [Path(env.doc2path(name)) for name in sorted(env.found_docs)]
    waiting = [path for path in paths if path.suffix == ".ipynb" and not _has(cache, path)]
    if not waiting:
        return []
    cores = min(os.cpu_count() or 1, len(waiting))
    _LOG.info("running %d chapters, %d at a time", len(waiting), cores)
    run = partial(_run, timeout=app.config.nb_execution_timeout)
    # Not forked: a copy of Sphinx has threads and locks that nobody lets go.
    with _single_threaded(), ProcessPoolExecutor(cores, get_context("spawn")) as pool:
        for path, (notebook, seconds) in zip(waiting, pool.map(run, waiting), strict=True):
            if seconds is not None:
                _LOG.info("ran %s in %.0f s", path.name, seconds)
                told = {"execution_seconds": seconds}
                bundle = CacheBundleIn(notebook, str(path), data=told)
                cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
    return []


def _run(path: Path, timeout: int) -> tuple[NotebookNode, float | None]:
    """Run a notebook: with its outputs, and in how many seconds; None if it failed."""
    notebook = nbformat.read(path, as_version=4)
    result = single_nb_execution(
        notebook, cwd=str(path.parent), timeout=timeout, allow_errors=False
    )
    return notebook, None if result.err else result.time


def _has(cache: JupyterCacheAbstract, chapter: Path) -> bool:
    try:
        cache.match_cache_notebook(nbformat.read(chapter, as_version=4))
    except KeyError:
        return False
    return True


@contextmanager
def _single_threaded() -> Iterator[None]:
    """Let kernels compute with one thread each: more threads than cores wait for each other."""
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = before
