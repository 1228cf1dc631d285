"""What a command does once its options are read; nothing of this is loaded for `--help`."""
