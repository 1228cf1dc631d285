"""One rollback after its plan is agreed."""
