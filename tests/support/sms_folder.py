"""Reads codes out of the messages that sms.transport = file wrote, as a person with a telephone would."""
import pathlib

from .mailbox import Inbox
from .twilio_server import Sms


class SmsFolder(Inbox):
    """One file a message: the number in the first line, then the text."""

    def __init__(self, directory):
        super().__init__()
        self.directory = pathlib.Path(directory)
        self._parsed = {}

    def messages(self):
        if self.directory.is_dir():
            # The names begin with the time of the message.
            for path in sorted(set(self.directory.glob("*.txt")) - self._parsed.keys()):
                number, _, text = path.read_text().partition("\n")
                self._parsed[path] = Sms("", number, "", "", text.removesuffix("\n"))
        return list(self._parsed.values())

    def messages_for(self, number):
        return [message for message in self.messages() if message.recipient == number]

    def wait_for(self, number, timeout=10):
        """The newest code sent to the number that was not returned yet."""
        return self.wait_for_message(number, timeout).code
