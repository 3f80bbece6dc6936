"""The chain of stages through which commands go down from tasks to the channel."""


class Stage:
    """One of the chain that begins with ``modem.stage`` and ends with the channel, which alone is all of it mostly.

    A stage has the channel's ``start()``, ``read()`` and ``poll()``, and passes on to ``below`` what it is given, at
    once or later, as it is or changed. ``LEVEL`` is its place, whenever it comes or goes. From the bottom to the top:
    1 a single connection takes the link's number out of commands, 2 forms of sending give payload another end,
    3 sleep holds commands until the module listens. Transparent mode needs none: no command is sent meanwhile.
    """

    LEVEL = 0
    below = None

    def start(self, cmd, n, handler, ms, own=0, payload=None, payload_n=0):
        """Channel.start()"""
        self.below.start(cmd, n, handler, ms, own, payload, payload_n)

    def read(self, cmd, n, head, handler, ms):
        """Channel.read()"""
        self.below.read(cmd, n, head, handler, ms)

    def poll(self):
        """Channel.poll()"""
        return self.below.poll()


def add(m, stage):
    """``stage`` takes its place."""
    above = None
    below = m.stage
    while below is not m.channel and below.LEVEL > stage.LEVEL:
        above = below
        below = below.below
    stage.below = below
    if above:
        above.below = stage
    else:
        m.stage = stage


def remove(m, stage):
    """``stage`` is passed by from now on; nothing happens when it is not there."""
    if m.stage is stage:
        m.stage = stage.below
        return
    each = m.stage
    while each is not m.channel:
        if each.below is stage:
            each.below = stage.below
        each = each.below
