"""The endpoint of a service: the one that the environment names, or AWS's own.

The variables are those of the SDKs ("Service-specific endpoints", "Dual-stack and FIPS endpoints",
AWS SDKs and Tools Reference Guide), and DNS_SUFFIX, the partition's, which Terraform sets.
"""

import os
import re
from urllib.parse import urlsplit

from shared import settings

# The dual-stack DNS suffix of a partition, by its ordinary one.
_DUAL_STACK_SUFFIXES = {
    "amazonaws.com": "api.aws",
    "amazonaws.com.cn": "api.amazonwebservices.com.cn",
    "amazonaws.eu": "api.amazonwebservices.eu",
    "c2s.ic.gov": "api.aws.ic.gov",
    "sc2s.sgov.gov": "api.aws.scloud",
}

# The names of services in variables, where they are not those in upper case.
_NAMES = {"secretsmanager": "SECRETS_MANAGER"}

# Excludes what would be signed differently from what is sent: empty and dot segments, a query.
_URL = re.compile(
    r"https?://(\[[0-9A-Fa-f:.]+\]|[\w.-]+)(:[0-9]{1,5})?"
    r"(/(?!\.{1,2}(/|\Z))[\w.~%!$&'()*+,;=:@-]+)*/?",
    re.ASCII,
)


def url(service: str, region: str, queue_url: str | None = None) -> str:
    """Returns the URL of a service, such as "sqs", in a region.

    Raises:
        SettingsError: A variable is invalid, or asks for what the partition does not have.
    """
    is_fips = settings.switch("AWS_USE_FIPS_ENDPOINT")
    is_dual_stack = settings.switch("AWS_USE_DUALSTACK_ENDPOINT")
    if named := _named(service):
        return named  # takes precedence, as in botocore
    if queue_url and not (is_fips or is_dual_stack):
        parts = urlsplit(queue_url)
        return f"{parts.scheme}://{parts.netloc}"
    suffix = settings.text("DNS_SUFFIX")
    # GovCloud's ordinary endpoints are FIPS endpoints. Secrets Manager has both, and its ordinary
    # endpoints are dual-stack ("AWS Secrets Manager endpoints").
    is_secrets = service == "secretsmanager"
    name = service
    if is_fips and (is_dual_stack or is_secrets or not region.startswith("us-gov-")):
        name = f"{service}-fips"
    has_both = suffix == "amazonaws.com" or (suffix == "amazonaws.com.cn" and not is_fips)
    if is_secrets and has_both:
        is_dual_stack = False
    if is_dual_stack:
        if suffix not in _DUAL_STACK_SUFFIXES:
            raise settings.SettingsError(
                f"AWS_USE_DUALSTACK_ENDPOINT is set, but {suffix} has no known dual-stack suffix."
            )
        suffix = _DUAL_STACK_SUFFIXES[suffix]
    return f"https://{name}.{region}.{suffix}"


def refuse_proxies() -> None:
    """Stops the start if a proxy is set, which this client would silently bypass.

    Raises:
        SettingsError: Names the variable.
    """
    for name in os.environ:
        if name.lower() in ("http_proxy", "https_proxy", "all_proxy") and os.environ[name]:
            raise settings.SettingsError(
                f"{name} is set, but the functions' own client does not use proxies. Unset it, or "
                "set CLIENT_IMPLEMENTATION to botocore, which does."
            )


def _named(service: str) -> str:
    if settings.switch("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"):
        return ""
    for name in (f"AWS_ENDPOINT_URL_{_NAMES.get(service, service.upper())}", "AWS_ENDPOINT_URL"):
        if value := os.environ.get(name, ""):
            if not _URL.fullmatch(value):
                raise settings.SettingsError(
                    f"{name} must be an HTTP or HTTPS URL, with a plain path or none. "
                    f"Got {value!r}."
                )
            return value
    return ""
