"""What the system and OpenSSL say about a failure, in words a person can use."""

from __future__ import annotations

import os

from backout.core.text import untrusted


def system_reason(error: OSError) -> str:
    """Return what the system says, in lower case: `connection refused`, `name … not known`."""
    cause: BaseException | None = error
    # Happy Eyeballs folds the errors of several addresses into one that has no number.
    while cause is not None and not (isinstance(cause, OSError) and cause.errno):
        cause = cause.__cause__ or cause.__context__
    if not isinstance(cause, OSError) or cause.errno is None:
        # asyncio's own error for an end in the middle of TLS's handshake has neither.
        ended = "the other side ended the connection" if isinstance(error, ConnectionError) else ""
        return untrusted(str(error)) or ended or "unknown error"
    # getaddrinfo's numbers are negative and not the system's.
    text = os.strerror(cause.errno) if cause.errno > 0 else str(cause.strerror)
    return untrusted(text).lower()


def certificate_words(error: Exception, host: str) -> tuple[str, str]:
    """Return the sentence and the remedy for a certificate that was not accepted."""
    reason = str(getattr(error, "verify_message", "") or error).rstrip(".")
    remedy = "check that the CA certificate given for it is the right one"
    if "expired" in reason:
        remedy = "renew the server's certificate (or correct this machine's clock)"
    elif "mismatch" in reason.lower():
        remedy = "use a name that the certificate holds, or give that name as TLS server name"
    return f"TLS with {host} failed: certificate verify failed: {untrusted(reason)}", remedy


def tls_words(error: BaseException, host: str) -> tuple[str, str]:
    """Return the sentence and the remedy for any other failure of TLS."""
    reason = str(getattr(error, "reason", None) or error).replace("_", " ").lower()
    remedy = ""
    if "wrong version number" in reason or "http request" in reason:
        remedy = "check the address: the port may speak plain http"
    elif any(word in reason for word in ("certificate required", "bad certificate", "unknown ca")):
        remedy = "check the client certificate: the server wants one, or does not accept this one"
    return f"TLS with {host} failed: {untrusted(reason)}", remedy
