"""What every test shares: how hypothesis looks for examples. Time is no assertion, so a busy machine fails no property."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("opsroom", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# For the long tests; a property that says its own number keeps it.
settings.register_profile("many", settings.get_profile("opsroom"), max_examples=400)
settings.load_profile("opsroom")
