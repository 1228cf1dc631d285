"""argv, commands, renderers and exit codes."""
