"""ffmpeg and ffprobe: on the path, or ffmpeg from the package imageio-ffmpeg."""

from __future__ import annotations

import importlib
import shutil

from archiver_plugins.video.settings import Tools


def find_tools() -> Tools:
    """Find the programs. The package brings ffmpeg alone, which can tell a duration too."""
    return Tools(ffmpeg=shutil.which("ffmpeg") or _bundled(), ffprobe=shutil.which("ffprobe") or "")


def _bundled() -> str:
    try:
        return str(importlib.import_module("imageio_ffmpeg").get_ffmpeg_exe())
    except (ImportError, RuntimeError):  # not installed, or without a program for this machine
        return ""
