"""The work behind the commands: done by whoever owns the world, a window or a command; it prints nothing."""
