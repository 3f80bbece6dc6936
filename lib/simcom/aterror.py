"""The exception for a command that the module refuses."""

from errno import EIO

from .pump import once


class ATError(OSError):
    """A final result other than OK.

    ``errno``: from the number of +CME ERROR, or of the line before ERROR, else EIO; ``cmd``: the command; ``line``: the
    result line as received, or the one before it that tells the cause.
    """

    def __init__(self, cmd: str, line: str):
        code = EIO
        if ":" in line:
            try:
                code = once("cmeerror" if line.find(" ERROR:") == 4 else "iperror").errno_of(line, cmd)
            except OSError:  # no room to load it
                pass
        super().__init__(code, "%s: %s" % (cmd, line))
        self.cmd = cmd
        self.line = line
