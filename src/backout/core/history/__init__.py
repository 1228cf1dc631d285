"""The revisions of a workload, and the patch that goes back to one."""
