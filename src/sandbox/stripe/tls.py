"""One set of TLS trust for all clients of the process: loading it takes longer than a payment."""

import ssl
from functools import cache


@cache
def tls_context() -> ssl.SSLContext:
    return ssl.create_default_context()
