"""What the process says at its end, for scripts and supervisors."""

OK = 0
FAILURE = 1
"""`check` found something, what was asked for is not there, or the server could not run."""
USAGE = 2
TEMPORARY = 75
"""EX_TEMPFAIL of sysexits(3): the database gives no answer; the same command may work later."""
BAD_CONFIGURATION = 78
"""EX_CONFIG: starting again without a change does not help (the unit's RestartPreventExitStatus)."""
