// A line of the settings with placeholders, such as {"to": "{to}"}, that becomes a part of a request. Immutable.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::delivery {

enum class Escaping { None, Percent, Json, Xml };
enum class Placeholder { To, ToDigits, From, Text, Secret };

struct HttpValues {
    std::string_view to;  // +4930123456; {to_digits} without the +
    std::string_view from;
    std::string_view text;
    std::string_view secret;
};

class HttpTemplate {
public:
    // A word of a-z and _ in braces is a placeholder; any other brace stands for itself, so that JSON needs no quoting.
    // Throws ConfigurationError(setting ...) for a placeholder that there is not.
    HttpTemplate(std::string_view setting, std::string_view text, Escaping escaping);

    bool holds(Placeholder placeholder) const;
    // Each value escaped; what surrounds it as it is written.
    std::string fill(const HttpValues& values) const;

private:
    struct Part {
        std::string text;
        std::optional<Placeholder> placeholder;  // which follows the text
    };
    std::vector<Part> parts_;
    Escaping escaping_;
};

}  // namespace otpgate::delivery
