"""Whence a request comes."""

from ipaddress import IPv6Address, ip_address

from django.conf import settings
from django.http import HttpRequest

WHOLE_HOMES = 64  # bits: whoever has one address of IPv6 has all that share them


def client_address(request: HttpRequest) -> str | None:
    """The address of the client; None where there is none, as on a Unix socket.

    Behind TRADELOG_PROXIES web servers, what the outermost of them has written into
    X-Forwarded-For; each appends whom it has heard, and what stands before that anybody can claim.
    """
    heard = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    proxies = settings.TRADELOG_PROXIES
    claimed = heard[-proxies] if 0 < proxies <= len(heard) else ""
    return written(claimed) or written(request.META.get("REMOTE_ADDR", ""))


def is_of_another_site(request: HttpRequest) -> bool:
    """Whether a browser sends this for a page that is not ours."""
    origin = request.headers.get("Origin")
    return origin is not None and origin.partition("://")[2] != request.get_host()


def written(address: str) -> str | None:
    """In its one form; None if it is no address."""
    try:
        found = ip_address(address.strip())
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return str(mapped or found)


def home_address(request: HttpRequest) -> str | None:
    """The same, but one address for all that the same client can take at will."""
    address = client_address(request)
    if address is None or ":" not in address:
        return address
    kept = int(IPv6Address(address)) >> WHOLE_HOMES << WHOLE_HOMES
    return str(IPv6Address(kept))
