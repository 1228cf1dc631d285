"""From a connection to a Session: who composes, and with what."""
