"""The one place where everything is put together: a rig from its config, and the demo around a twin."""
