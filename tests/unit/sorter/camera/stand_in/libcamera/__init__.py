"""Stands in for libcamera's Python module, as far as the worker uses it."""

from libcamera import controls as controls
