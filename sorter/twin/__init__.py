"""The simulated rig, a process of its own: a board on a pty and a camera that shows parts from stored sprites.

Needs the base install only. Where things are is told as in ``sorter.render``: mm, right-handed, the table's surface is
z = 0, its axis of rotation x = y = 0, z points up, and the camera stands on the side of negative y.
"""
