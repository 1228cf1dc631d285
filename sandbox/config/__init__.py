"""The texts of the components' configuration files: values in, text out, nothing is written."""
