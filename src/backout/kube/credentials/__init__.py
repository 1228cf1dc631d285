"""Who we are to the API server: tokens, certificates, credential plugins."""
