"""Where the work's output goes in the end: standard output for data, standard error for sentences."""

from __future__ import annotations

import sys

from desktop.commands.environment import say
from desktop.data.local_channel import Output, Said, Text


class Printer:
    """Prints text and sentences; the commands add their own forms."""

    async def send(self, output: Output) -> None:
        self.post(output)

    def post(self, output: Output) -> None:
        match output:
            case Text(text):
                sys.stdout.write(text)
                sys.stdout.flush()
            case Said(sentence):
                say(sentence)

    def again(self) -> None:
        """The work begins anew elsewhere: what was not printed yet is forgotten."""
