"""By which words any tool may name a cause: generous, so that nobody is wronged."""

WORDS = {
    "IMAGE_NOT_FOUND": r"not found|manifest unknown",
    "IMAGE_AUTH": r"401|denied|unauthorized|authorization",
    "IMAGE_INVALID": r"invalid reference|InvalidImageName",
    "IMAGE_NEVER_PULL": r"ErrImageNeverPull|pull policy",
    "IMAGE_RATE_LIMIT": r"429|toomanyrequests|rate limit",
    "IMAGE_PULL": r"connection refused",
    "CONTAINER_START": r"no such file",
    "CONFIG_MISSING": r"\bgone\b|couldn't find key|has no key",
    "VOLUME": r"persistentvolumeclaim|unbound",
    "PROBE_READINESS": r"readiness ?probe",
    "PROBE_LIVENESS": r"(liveness|startup) probe",
    "QUOTA": r"exceeded quota",
    "ADMISSION": r"is forbidden",
    "SANDBOX": r"no runtime",
    "CRASH_LOOP": r"CrashLoopBackOff|exit(ed)? (with )?(code )?[34]",
    "OOM_KILLED": r"OOMKilled|out of memory|137",
    "INIT_FAILED": r"CrashLoopBackOff|exit(ed)? (with )?(code )?7",
    "UNSCHEDULABLE": r"nodes are available",
    "READINESS_GATE": r"readiness ?gate",
    "SCHEDULING_GATED": r"gate",
}
