"""What connect() sends again, or does when the context is up, as a program has chosen it."""


def keep(m, cmd):
    """The steps that send ``cmd`` if the module is on, and have every later connect() send it if it was taken."""
    if m.on:
        yield cmd
    remember(m, cmd)


def remember(m, *commands):
    """connect() sends the command, instead of what it sent with that name, before the context is raised.

    What the driver does not need is optional: of several ``commands`` the first that is taken; none: no matter.
    """
    name = commands[0]
    name = name[: name.find(b",") if name.startswith(b"AT+CACFG") else name.find(b"=") + 1]  # each key is a setting
    known = [each.startswith(name) for each in m.SETTINGS]
    if True in known:
        at = known.index(True)
        m.SETTINGS = m.SETTINGS[:at] + commands[:1] + m.SETTINGS[at + 1 :]
    else:
        forget(m, str(name, "ascii"))
        m.optional[str(name, "ascii")] = commands


def forget(m, name):
    """connect() sends nothing with that name any more, unless the driver needs it."""
    m.optional = dict(m.__dict__.get("optional") or {})
    m.optional.pop(name, None)


def after(m, name, steps):
    """connect() does ``steps(modem)`` when the context is up, instead of those of that name."""
    m.extra = [each for each in m.extra if each[0] != name] + [(name, steps)]
