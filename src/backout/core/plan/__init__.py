"""From findings to a plan or a refusal."""
