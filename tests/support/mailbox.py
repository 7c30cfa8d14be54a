"""Reads codes out of the messages that the file transport wrote, as a person with a mail program would."""
import email
import email.policy
import email.utils
import pathlib
import re

from . import ports

_CODE_LINE = re.compile(r"[A-Z0-9]{4,10}")


def parse(content):
    return email.message_from_bytes(content, policy=email.policy.default)


def recipient_of(message):
    return email.utils.parseaddr(str(message["To"]))[1].lower()


def code_in(message):
    """The line of the text part that is a code and nothing else."""
    text = message.get_body(("plain",)).get_content()
    codes = [line for line in text.splitlines() if _CODE_LINE.fullmatch(line)]
    if len(codes) != 1:
        raise AssertionError(f"one line with a code and nothing else was expected, not {len(codes)}:\n{text}")
    return codes[0]


class Inbox:
    """Messages in the order of their arrival; subclasses say where they come from."""

    def __init__(self):
        self._seen = {}  # how many messages to an address were asked for already

    def messages(self):
        """All messages so far, oldest first."""
        raise NotImplementedError

    def messages_for(self, address):
        return [message for message in self.messages() if recipient_of(message) == address.lower()]

    def wait_for_message(self, address, timeout=10):
        """The newest message to the address that is newer than what was asked for before."""
        address = address.lower()

        def unread():
            return self.messages_for(address)[self._seen.get(address, 0):]

        found = ports.wait_until(unread, timeout, f"a message to {address}")
        self._seen[address] = self._seen.get(address, 0) + len(found)
        return found[-1]

    def wait_for(self, address, timeout=10):
        """The newest code mailed to the address that was not returned yet."""
        return code_in(self.wait_for_message(address, timeout))


class Mailbox(Inbox):
    def __init__(self, directory):
        super().__init__()
        self.directory = pathlib.Path(directory)
        self._parsed = {}

    def messages(self):
        if self.directory.is_dir():
            for path in sorted(set(self.directory.glob("*.eml")) - self._parsed.keys(), key=lambda p: (p.stat().st_mtime_ns, p.name)):
                self._parsed[path] = parse(path.read_bytes())
        return list(self._parsed.values())
