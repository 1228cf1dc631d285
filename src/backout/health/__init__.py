"""The end-to-end request: asks a running service whether it is well."""
