"""Where the cluster is and who asks: kubeconfig files, flags, a Pod's own account."""
