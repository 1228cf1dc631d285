"""Image names, what registries say of them, and which credentials go with which."""
