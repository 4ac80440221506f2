"""How many examples Hypothesis tries of each property, by HYPOTHESIS_PROFILE."""

import os
from typing import Any

from hypothesis import HealthCheck, settings

settings.register_profile(
    "dev",
    deadline=None,  # a CI machine may be busy
    # Examples share a test's fakes and tables; each leaves them as it found them.
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.register_profile("ci", settings.get_profile("dev"), derandomize=True)
settings.register_profile("nightly", settings.get_profile("dev"))
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "ci" if "CI" in os.environ else "dev")
settings.load_profile(PROFILE)


def examples(count: int, **options: Any) -> settings:
    """Returns settings for so many examples, twenty times as many in the profile "nightly"."""
    return settings(max_examples=count * (20 if PROFILE == "nightly" else 1), **options)
