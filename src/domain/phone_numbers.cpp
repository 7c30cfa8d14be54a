#include "otpgate/domain/phone_numbers.h"

#include <phonenumbers/logger.h>
#include <phonenumbers/phonenumberutil.h>

namespace otpgate::domain {

namespace {

using i18n::phonenumbers::PhoneNumberUtil;

// Made at the first call, because it costs milliseconds and memory that a service without strict need not spend.
const PhoneNumberUtil& numberingPlans() {
    static const PhoneNumberUtil& plans = []() -> const PhoneNumberUtil& {
        PhoneNumberUtil* util = PhoneNumberUtil::GetInstance();
        // Its own logger writes to standard output and may quote the number. It owns the new one.
        util->SetLogger(new i18n::phonenumbers::NullLogger);
        return *util;
    }();
    return plans;
}

// The plans are as old as the library, and new area codes and longer numbers come every year: Benin went from eight
// digits to ten in 2024. What stays true is which countries there are, and that no number gets shorter.
constexpr int kDigitsThatPlansGrow = 2;

bool isLongEnough(const PhoneNumberUtil& plans, i18n::phonenumbers::PhoneNumber number) {
    for (int grown = 0; grown <= kDigitsThatPlansGrow; ++grown) {
        switch (plans.IsPossibleNumberWithReason(number)) {
        case PhoneNumberUtil::IS_POSSIBLE: return true;
        case PhoneNumberUtil::TOO_LONG: break;
        case PhoneNumberUtil::IS_POSSIBLE_LOCAL_ONLY:
        case PhoneNumberUtil::INVALID_COUNTRY_CODE:
        case PhoneNumberUtil::TOO_SHORT:
        case PhoneNumberUtil::INVALID_LENGTH: return false;
        }
        number.set_national_number(number.national_number() / 10);
    }
    return false;
}

bool mayExist(const std::string& text) {
    const PhoneNumberUtil& plans = numberingPlans();
    i18n::phonenumbers::PhoneNumber number;
    // "ZZ", no region: the number begins with + and says its country.
    if (plans.Parse(text, "ZZ", &number) != PhoneNumberUtil::NO_PARSING_ERROR) return false;
    if (!isLongEnough(plans, number)) return false;
    // It forgives a trunk prefix (+44 0 20...), with which one telephone would have several spellings, and so several
    // accounts and budgets.
    std::string written;
    plans.Format(number, PhoneNumberUtil::E164, &written);
    return written == text;
}

}  // namespace

bool PhoneNumbers::accepts(const Destination& destination) const {
    switch (validation_) {
    case PhoneValidation::Any: return true;
    case PhoneValidation::Strict: return destination.channel() != Channel::Sms || mayExist(destination.value());
    }
    return false;
}

bool PhoneNumbers::allowsMessagesTo(const Destination& destination) const {
    return destination.channel() != Channel::Sms || allowed_.covers(destination.value());
}

}  // namespace otpgate::domain
