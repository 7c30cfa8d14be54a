// Accept-Language and single language tags.
#include "fuzz/fuzz.h"
#include "otpgate/http/accept_language.h"

#include <algorithm>

FUZZ_TARGET(languages) {
    using namespace otpgate::http;
    const std::string accepted = acceptedLanguages(input);
    REQUIRE(accepted.size() <= kMaxAcceptedLanguagesBytes);
    REQUIRE(static_cast<std::size_t>(std::count(accepted.begin(), accepted.end(), ',')) < kMaxAcceptedLanguages);
    REQUIRE(acceptedLanguages(accepted) == accepted);
    std::string_view rest = accepted;
    while (!rest.empty()) {
        const std::string_view tag = rest.substr(0, rest.find(','));
        REQUIRE(parseLanguageTag(tag) == tag);
        rest.remove_prefix(std::min(tag.size() + 1, rest.size()));
    }
    if (const auto tag = parseLanguageTag(input)) {
        REQUIRE(parseLanguageTag(*tag) == tag);
        REQUIRE(acceptedLanguages(*tag) == *tag);
    }
}
