"""A Marlin board over a serial line: numbered lines out, replies in, and nothing of parts, bins or pictures."""
