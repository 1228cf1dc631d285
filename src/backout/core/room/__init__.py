"""Whether there is room for the Pods of a target: nodes, quotas, autoscalers."""
