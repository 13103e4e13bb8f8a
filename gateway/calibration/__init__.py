"""Fitting to this library what turns similarities into log-likelihood ratios; docs/calibration.md."""
