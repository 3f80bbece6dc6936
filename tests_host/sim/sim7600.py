"""SIM7600: A76XX that starts and ends slowly."""

from .a76xx import Module as A76xx


class Module(A76xx):
    """The SIM7600 profile."""

    family = "sim7600"
    on_press_ms = 500
    reset_press_ms = 100
    boot_ms = 14_000
    off_ms = 26_000
    deaf_ms = 0
    boot_lines = ((0, "RDY"), (300, "+CPIN: READY"), (2500, "SMS DONE"), (4500, "PB DONE"))
    model, revision = "SIM7600E-H", "LE20B04SIM7600M22"
    imei, iccid, imsi = "861477030000076", "89860000000000007600", "001010000007600"
    identity = {
        "I": "Manufacturer: SIMCOM INCORPORATED\r\nModel: SIMCOM_%(model)s\r\nRevision: %(revision)s\r\n"
        "IMEI: %(imei)s\r\n+GCAP: +CGSM,+FCLASS,+DS",
        "CGMI": "SIMCOM INCORPORATED",
        "CGMM": "SIMCOM_%(model)s",
        "SIMCOMATI": None,
    }
