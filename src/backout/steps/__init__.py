"""One effect a file; `pipeline` tells the whole story."""
