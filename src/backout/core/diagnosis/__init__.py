"""Why Pods are not ready: one file a kind of evidence."""
