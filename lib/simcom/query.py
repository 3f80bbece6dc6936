"""Questions: sent again when the answer is late or damaged; loaded for a while where that is enough."""

import errno


def query(m, cmd, parse, ms=0, marks=()):
    """Steps of a question: a list of what ``parse(line)`` makes of the lines of its answer.

    It raises ValueError or IndexError for a line that is none of it, or damaged. Then, or without any line, the
    question is sent again, three times in all: an OK in front of the answer was another command's. ``marks`` as in
    Task: where they end the answer, no answer may be a damaged one.
    """
    best = ()
    for left in (2, 1, 0):
        found = []
        try:
            info = yield cmd, ms or m.ANSWER_MS, marks
        except OSError as e:
            if not (marks and left and e.errno == errno.ETIMEDOUT):
                raise
            continue  # no OK ends such an answer: it may have come, damaged
        for line in info:
            try:
                if "\\x" not in line:  # else it is no text
                    found.append(parse(line))
            except (ValueError, IndexError):
                pass
        best = found or best
        if found and len(found) == len(info):
            break
    if best:  # what stood beside it was no answer three times
        return best
    raise OSError(errno.EIO, cmd.decode() + ": answer not understood")


def perhaps(m, cmd, parse):
    """Steps of a question whose answer may well be empty."""
    try:
        return (yield from query(m, cmd, parse, 2000))
    except OSError as e:
        if e.errno != errno.EIO or hasattr(e, "line"):
            raise
    return []


def asked(cmd, parse):
    """What ``parse(line)`` makes of the answer, a list; empty when it is refused, or says nothing.

    As query(), for a question that a module may rightly answer with OK alone.
    """
    for _ in range(3):
        found = []
        try:
            for line in (yield cmd):
                if "\\x" in line:  # it is no text
                    raise ValueError
                found.append(parse(line))
            if found:
                return found
        except (ValueError, IndexError):  # damaged
            pass
        except OSError as e:
            refusal(e)
    return []


def refusal(e):
    """The line of an ATError, which is loaded only when there is one; another error is raised again."""
    if not hasattr(e, "line"):
        raise e
    return e.line


def flag(line):
    """0 or 1, as a bool; ValueError for another."""
    return ("0", "1").index(fields(line)[0]) == 1


def ask(cmd, ms, marks=None):
    """The steps of a single command: its information lines."""
    return (yield cmd, ms, marks)


def fields(line):
    """What follows the colon of an information line, cut at commas, without quotes and blanks: a list of str."""
    return [field.strip(' "') for field in line[line.index(":") + 1 :].split(",")]
