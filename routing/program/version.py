"""The version of the program."""

from __future__ import annotations

import tomllib
from importlib import metadata
from pathlib import Path


def version() -> str:
    """The version that is installed, or that of the source the program runs from."""
    try:
        return metadata.version("ringway")
    except metadata.PackageNotFoundError:
        source = Path(__file__).resolve().parents[2] / "pyproject.toml"
        return str(tomllib.loads(source.read_text("utf-8"))["project"]["version"])
