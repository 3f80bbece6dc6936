"""`ssl` over the firmware's `tls`: what umqtt and others import."""

from tls import *  # noqa: F403
from tls import CERT_NONE, PROTOCOL_TLS_CLIENT, PROTOCOL_TLS_SERVER, SSLContext


def wrap_socket(
    sock,
    server_side=False,
    key=None,
    cert=None,
    cert_reqs=CERT_NONE,
    cadata=None,
    server_hostname=None,
    do_handshake=True,
):
    """A TLS stream over a connected socket; give cert_reqs=CERT_REQUIRED and cadata, or nobody is checked."""
    context = SSLContext(PROTOCOL_TLS_SERVER if server_side else PROTOCOL_TLS_CLIENT)
    if cert or key:
        context.load_cert_chain(cert, key)
    if cadata:
        context.load_verify_locations(cadata)
    context.verify_mode = cert_reqs
    options = {"server_side": server_side, "do_handshake_on_connect": do_handshake}
    return context.wrap_socket(sock, server_hostname=server_hostname, **options)
