"""One archive with all that a plan needs, made with a network and run without one."""
