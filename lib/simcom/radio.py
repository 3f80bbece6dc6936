"""Where the module stands in the network."""


def registration(m):
    """<stat>. A read answers <n>,<stat>[,"lac"…]; a URC that comes between says <stat>[,"lac"…]."""
    state = 4
    for cmd in m.REGISTRATION:
        try:
            for line in (yield cmd):
                fields = line.split(":")[-1].split(",")
                stat = int(fields[1 if len(fields) > 1 and fields[1].strip().isdigit() else 0])
                if stat == 1 or stat == 5:
                    return stat
                if state != 2:  # searching here goes before denied there
                    state = stat
        except OSError as e:
            if not hasattr(e, "line"):  # no answer at all
                raise
    return state


def signal(m):
    """RSSI in dBm, None when the module does not know it; noted for print(modem)."""
    rssi = int((yield b"AT+CSQ")[-1].split(":")[-1].split(",")[0])
    m.dbm = 2 * rssi - 113 if rssi < 32 else None
    return m.dbm
