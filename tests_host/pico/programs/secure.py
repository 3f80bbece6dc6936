"""TLS on the emulated Pico: an HTTPS server and an MQTT broker whose certificates are checked. Needs `ssl`."""

import machine
import sys

import device
import simcom
import ssl
import target
from target import equal, true

STACK = 7936  # bytes of C stack, beyond which a call raises RuntimeError …
ROOM = 600  # … and what is left for the program


def context():
    """One that lets in whom our authority knows."""
    new = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    new.verify_mode = ssl.CERT_REQUIRED
    with open("ca.der", "rb") as f:
        new.load_verify_locations(f.read())
    return new


def stream(host, port, name=None):
    """A TLS stream to a server."""
    import socket  # it is there once the modem is installed

    s = socket.socket()
    s.settimeout(60)
    s.connect(socket.getaddrinfo(host, port)[0][-1])
    try:
        return context().wrap_socket(s, server_hostname=name or host)
    except BaseException:
        s.close()
        raise


def case_https_get(t):
    s = stream("web.example", 443)
    s.write(b"GET /page HTTP/1.0\r\nHost: web.example\r\n\r\n")
    equal(s.readline(), b"HTTP/1.0 200 OK\r\n")
    while s.readline() != b"\r\n":
        pass
    equal(s.read(), target.pattern(5000), "the page")
    s.close()


def case_server_of_another_name_is_refused(t):
    try:
        stream("web.example", 443, "other.example")
    except (OSError, ValueError) as e:
        true("does not match" in str(e) or "verif" in str(e).lower(), "a reason: " + repr(e))
        return
    raise target.Failed("a server of another name was let in")


def case_mqtt(t):
    from umqtt.simple import MQTTClient

    class ussl:  # what this umqtt imports
        @staticmethod
        def wrap_socket(sock, server_hostname):
            return context().wrap_socket(sock, server_hostname=server_hostname)

    sys.modules["ussl"] = ussl
    told = []
    mqtt = MQTTClient("pico", "broker.example", ssl=True, ssl_params={"server_hostname": "broker.example"})
    mqtt.set_callback(lambda topic, message: told.append((topic, message)))
    mqtt.connect()
    mqtt.subscribe(b"to/pico")
    mqtt.publish(b"from/pico", b"x" * 2000, qos=1)
    while not told:
        mqtt.wait_msg()
    equal(told, [(b"to/pico", b"x" * 2000)])
    mqtt.disconnect()


def case_room_on_the_c_stack(t):
    true(device.stack_checked() <= STACK - ROOM, "%d bytes of %d" % (device.stack_checked(), STACK))


def run(family, now):
    """Bring the modem up and run the cases; now: what machine.RTC().datetime() takes."""
    machine.RTC().datetime(now)
    modem = device.modem(family)
    modem.active(True)
    modem.connect("internet")
    simcom.install(modem)
    names = ("https_get", "server_of_another_name_is_refused", "mqtt", "room_on_the_c_stack")
    target.cases = lambda: [("secure." + name, globals()["case_" + name]) for name in names]
    t = target.Target()
    t.fresh = lambda: None
    device.paint_stack()
    target.run(t)
    print("C stack of Python at its deepest: %d" % device.stack_checked())
