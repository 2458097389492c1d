"""From verdict to alarm: states, clocks, escalation, recovery, planned stops. Pure."""
