"""Reads codes out of the messages that the file transport wrote, as a person with a mail program would."""
import email
import email.message
import email.policy
import email.utils
import functools
import pathlib
import re

from . import ports

_CODE_LINE = re.compile(r"[A-Z0-9]{4,10}")
_SMS_LINE = re.compile(r"@\S+ #[A-Z0-9]{4,10}")


def parse(content):
    return email.message_from_bytes(content, policy=email.policy.default)


# A message does not change, and whoever waits looks at all of them fifty times a second.
@functools.cache
def recipient_of(message):
    return email.utils.parseaddr(str(message["To"]))[1].lower()


def text_of(message):
    """What a person reads, of a mail or an SMS."""
    if isinstance(message, email.message.EmailMessage):
        return message.get_body(("plain",)).get_content()
    return message.text


@functools.cache
def holds_code(message):
    """Whether it brings a code; else it is a notice, or a test of the settings."""
    return any(_CODE_LINE.fullmatch(line) or _SMS_LINE.fullmatch(line) for line in text_of(message).splitlines())


def code_in(message):
    """The line of the text part that is a code and nothing else."""
    text = text_of(message)
    codes = [line for line in text.splitlines() if _CODE_LINE.fullmatch(line)]
    if len(codes) != 1:
        raise AssertionError(f"one line with a code and nothing else was expected, not {len(codes)}:\n{text}")
    return codes[0]


class Inbox:
    """Messages in the order of their arrival; subclasses say where they come from."""

    def __init__(self):
        self._seen = {}  # how many codes to an address were asked for already

    def messages(self):
        """All messages so far, oldest first."""
        raise NotImplementedError

    def messages_for(self, address):
        return [message for message in self.messages() if recipient_of(message) == address.lower()]

    def notices_for(self, address):
        return [message for message in self.messages_for(address) if not holds_code(message)]

    def wait_for_message(self, address, timeout=10):
        """The newest message with a code to the address that is newer than what was asked for before."""
        address = address.lower()

        def unread():
            return [message for message in self.messages_for(address) if holds_code(message)][self._seen.get(address, 0):]

        found = ports.wait_until(unread, timeout, f"a message with a code to {address}")
        self._seen[address] = self._seen.get(address, 0) + len(found)
        return found[-1]

    def wait_for_notices(self, address, count, timeout=10):
        """All notices to the address, when there are so many."""
        return ports.wait_until(
            lambda: found if len(found := self.notices_for(address)) >= count else None, timeout,
            f"{count} notices to {address}")

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
