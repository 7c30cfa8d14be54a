#include "store/words.h"

#include <stdexcept>
#include <string>

namespace otpgate::store {

namespace {

[[noreturn]] void rejectWord(std::string_view what, std::string_view word) {
    throw std::runtime_error("unknown " + std::string{what} + " in the database: " + std::string{word});
}

}  // namespace

domain::Channel parseChannel(std::string_view word) {
    for (const auto channel : {domain::Channel::Email, domain::Channel::Sms}) {
        if (word == domain::toString(channel)) return channel;
    }
    rejectWord("channel", word);
}

domain::Purpose parsePurpose(std::string_view word) {
    if (const auto purpose = domain::parsePurpose(word)) return *purpose;
    rejectWord("purpose", word);
}

domain::MessageKind parseMessageKind(std::string_view word) {
    if (const auto kind = domain::parseMessageKind(word)) return *kind;
    rejectWord("kind of message", word);
}

domain::CodeAlphabet parseCodeAlphabet(std::string_view word) {
    if (const auto alphabet = domain::parseCodeAlphabet(word)) return *alphabet;
    rejectWord("code alphabet", word);
}

domain::ApiScope parseApiScope(std::string_view word) {
    if (const auto scope = domain::parseApiScope(word)) return *scope;
    rejectWord("scope of an API key", word);
}

domain::Role parseRole(std::string_view word) {
    for (const auto role : {domain::Role::User, domain::Role::Admin}) {
        if (word == domain::toString(role)) return role;
    }
    rejectWord("role", word);
}

domain::UserStatus parseUserStatus(std::string_view word) {
    for (const auto status : {domain::UserStatus::Active, domain::UserStatus::Disabled}) {
        if (word == domain::toString(status)) return status;
    }
    rejectWord("user status", word);
}

}  // namespace otpgate::store
