"""The one place that imports OpenCV, because its pixel ceiling is read once, while the library loads.

Everything else takes it from here: `from chassis.images import cv2`.
"""

import os
from typing import Final

__all__ = ["PIXEL_CEILING", "cv2"]

PIXEL_CEILING: Final = 100_000_000
"""No configured limit may be above this many pixels (300 MB once decoded)."""

# A second fence behind our own header readers, for a file that they and the codec read differently.
os.environ["OPENCV_IO_MAX_IMAGE_PIXELS"] = str(PIXEL_CEILING)
# A bad upload is answered to its sender; without this every one of them writes to our stderr as well.
os.environ.setdefault("OPENCV_LOG_LEVEL", "FATAL")

import cv2  # noqa: E402  the two lines above have no effect once OpenCV is loaded
