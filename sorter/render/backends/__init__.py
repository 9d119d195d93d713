"""Renderers behind one small promise: the same scene, the same camera, the same boxes."""
