"""A controller for a home-built LEGO sorting rig: look at a part, recognise it, route it into its bin."""

__version__ = "0.1.0"
