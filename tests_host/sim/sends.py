"""What goes wrong with sending and reading, whatever the dialect."""

from .basic import Basic

_RARELY = 0.125  # of the sends, where a seed chose it


class Sends(Basic):
    """`refuse_sends`: so many sends are refused although their link is connected; -1: all. `stray_errors`: so many get
    somebody else's ERROR in front of their prompt. `late_prompts`: so many are refused, and their prompt comes
    `late_prompt_ms` later. `lies`: the next results tell these texts in place of the number of bytes. `stray_reads`: so
    many reads get somebody else's ERROR in front of their answer.
    """

    refuse_sends = 0
    stray_errors = 0
    stray_reads = 0
    late_prompts = 0
    late_prompt_ms = 600
    lies: "tuple | list" = ()
    CHOICES = {
        "stray_error": (False, False, True),  # now and then somebody else's ERROR in front of a prompt
        "count": ("true", "true", "digit lost"),  # … and what a result tells
    }

    def send_refused(self) -> bool:
        """Whether this send is, for no reason of the link's."""
        if self.refuse_sends:
            self.refuse_sends -= self.refuse_sends > 0
            return True
        return False

    def prompt_late(self, ask) -> bool:
        """Whether this send is refused and gets its prompt all the same: ask() gives it."""
        if not self.late_prompts:
            return False
        self.late_prompts -= 1

        def come():
            if self._busy or self._sink is not None:
                self.later(1, come)
            else:
                ask()

        self.later(self.late_prompt_ms, come)
        return True

    def before_prompt(self) -> None:
        """The prompt is next."""
        self.hook("before_prompt")
        rarely = self.choices["stray_error"] and self.random.random() < _RARELY
        if self.stray_errors or rarely:
            self.stray_errors -= not rarely
            self.result("ERROR", 4)

    def before_read(self) -> None:
        """The answer to a read is next."""
        if self.stray_reads:
            self.stray_reads -= 1
            self.result("ERROR", 4)

    def told(self, link, count: int) -> str:
        """The number of bytes as a result tells it; a seed lets datagrams alone, which may come twice then, and short
        pieces, behind the last of which the peer may close: then nobody can tell any more."""
        if self.lies:
            text, *self.lies = self.lies
            return text
        if self.choices["count"] != "true" and link.proto == "TCP" and count > 999 and self.random.random() < _RARELY:
            at = self.random.randrange(len(str(count)))
            return str(count)[:at] + str(count)[at + 1 :]
        return str(count)
