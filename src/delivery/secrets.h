// What a provider must not tell us again: the secrets of a conversation with a mail server or an SMS gateway, and their
// removal from whatever it says, before that is logged, stored or shown. One object a transport, used by its thread.
#pragma once

#include <array>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::delivery {

class Secrets {
public:
    // What belongs to one message.
    struct Message {
        std::string code;       // empty in a notice
        std::string text;       // as it goes over the wire
        std::string recipient;  // an address, or a number with its +
        std::string link{};     // the secret part of one; mostly empty
    };

    // A password, token or account. The forms in which it goes over the wire are added by themselves: within base64,
    // percent-encoded, escaped for JSON and XML.
    void add(std::string_view secret);
    // From here on this message is spoken of. The one before stays known, because an answer may come late, and the
    // codes and links of the last hundred, because a mail server may repeat all that it has been told since the
    // connection was made.
    void beginMessage(Message message);

    // The text with *** in place of every secret: credentials in any of their forms and in either case, and 8 bytes or
    // more of one; the code with anything between its characters, and pieces of it; 16 bytes or more of the message;
    // the recipient. Takes time in proportion to the text.
    std::string strikeOut(std::string_view text) const;

private:
    std::vector<std::string> credentials_;  // in all forms, lower case
    std::array<Message, 2> messages_;       // the newest first
    std::deque<std::string> olderCodes_;
    std::deque<std::string> olderLinks_;  // lower case
};

}  // namespace otpgate::delivery
