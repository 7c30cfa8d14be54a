#include "otpgate/domain/short_codes.h"

namespace otpgate::domain {

std::string_view toString(LinkUse use) {
    switch (use) {
    case LinkUse::Off: return "off";
    case LinkUse::Beside: return "beside";
    case LinkUse::Instead: return "instead";
    }
    return {};
}

std::string_view toString(Means means) {
    switch (means) {
    case Means::Code: return "code";
    case Means::CodeAndLink: return "code_and_link";
    case Means::Link: return "link";
    }
    return {};
}

MessageKind kindOf(Means means) {
    return means == Means::Link ? MessageKind::Link : MessageKind::Code;
}

bool letsIn(Purpose purpose) {
    switch (purpose) {
    case Purpose::Login:
    case Purpose::Reset: return true;
    case Purpose::Register:
    case Purpose::Verify:
    case Purpose::Change: return false;
    }
    return false;
}

Means meansOf(LinkUse use, Purpose purpose, Channel channel, unsigned failures) {
    if (!letsIn(purpose)) return Means::Code;
    if (failures >= kMostFailures) return Means::Link;
    // A link in an SMS costs a second one, and is what people are warned of.
    if (purpose != Purpose::Login || channel != Channel::Email) return Means::Code;
    switch (use) {
    case LinkUse::Off: return Means::Code;
    case LinkUse::Beside: return Means::CodeAndLink;
    case LinkUse::Instead: return Means::Link;
    }
    return Means::Code;
}

bool takesShortCodes(LinkUse use, Purpose purpose, Channel channel, unsigned failures) {
    return meansOf(use, purpose, channel, failures) != Means::Link;
}

}  // namespace otpgate::domain
