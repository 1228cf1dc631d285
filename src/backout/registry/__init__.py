"""The only package that talks to image registries."""
