"""Groups of options: what a command says of itself, light enough for `--help`."""
