"""Where curl finds certificates, and which hosts it reaches without a proxy: options set once per handle.

Rules: the file named by the caller; else the environment's ``SSL_CERT_FILE`` (as OpenSSL and every Python client
read it); else the system's own store on Windows and macOS; else the file that the system's OpenSSL or a
distribution keeps. Verification is never off: where nothing is found, every server is refused.

Proxies are taken from the environment as curl does (``http_proxy``, ``https_proxy``, ``all_proxy``, ``no_proxy``),
but the loopback is always reached directly: a local server is never what a proxy is for.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import pycurl

from esipy.exceptions import SettingError

__all__ = ["constant_options"]

# CURLSSLOPT_NATIVE_CA of curl/curl.h: the store of Windows or macOS.
_SSLOPT_NATIVE_CA = 16

_LOOPBACK = "localhost,127.0.0.0/8,::1"


def constant_options(ca_file: str | None) -> list[tuple[int, Any]]:
    """The options that depend on the machine.

    Raises:
        SettingError: the file named by ``ca_file`` or ``SSL_CERT_FILE`` does not exist.
    """
    return [(pycurl.NOPROXY, _no_proxy()), *_certificates(ca_file)]


def _no_proxy() -> str:
    given = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    return "*" if given.strip() == "*" else ",".join(filter(None, (given, _LOOPBACK)))


def _certificates(ca_file: str | None) -> list[tuple[int, Any]]:
    named = ca_file or os.environ.get("SSL_CERT_FILE")
    if named:
        if not os.path.isfile(named):
            raise SettingError(f"there is no file of CA certificates at {named!r} (ca_file= or SSL_CERT_FILE)")
        return [(pycurl.CAINFO, named)]
    if sys.platform in ("win32", "darwin"):
        return [(pycurl.SSL_OPTIONS, _SSLOPT_NATIVE_CA)]
    found = _system_file()
    return [(pycurl.CAINFO, found)] if found else []


def _system_file() -> str | None:
    import ssl  # costs milliseconds: only here

    paths = ssl.get_default_verify_paths()
    candidates = (
        paths.cafile,
        "/etc/ssl/certs/ca-certificates.crt",  # Debian, Arch, Alpine
        "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, RHEL
        "/etc/ssl/ca-bundle.pem",  # SUSE
        "/etc/ssl/cert.pem",  # BSD, Alpine
    )
    return next((path for path in candidates if path and os.path.isfile(path)), None)
