"""Fits the calibrations that Marquee ships, and says what they are worth: `python -m bench.calibration`."""
