"""OpenCV, or an error that says how to get it."""

from __future__ import annotations

from featkit.errors import UsageError

try:
    import cv2
except ImportError as error:
    raise UsageError(
        "finding duplicates across lesions",
        cause="it needs OpenCV, which is not installed",
        remedy="Install it: `pip install opencv-python-headless`",
    ) from error

__all__ = ["cv2"]
