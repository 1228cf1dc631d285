"""TLS, time-outs, body caps, address policy, proxies: what every client needs, once."""
