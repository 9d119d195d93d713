"""Synthetic pictures: part geometry (LDraw) in, labelled turntable pictures and the twin's sprites out.

Needs the extra ``render``. The world is in mm, right-handed: the table's surface is z = 0, its axis of rotation
x = y = 0, z points up, and the camera stands on the side of negative y, so that x goes to the right in a picture.
"""
