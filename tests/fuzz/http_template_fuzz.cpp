// Requests to SMS gateways as the settings describe them: what is filled in is read back as the same, whatever it is.
// Lines of the input: the template of a header, then the text of a message.
#include "delivery/escaping.h"
#include "delivery/sms/http_template.h"
#include "fuzz/fuzz.h"
#include "http/percent.h"
#include "otpgate/base/encoding.h"
#include "otpgate/base/errors.h"
#include "otpgate/delivery/sms_length.h"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

namespace {

using namespace otpgate;
using namespace otpgate::delivery;

// The five entities and numbers of characters, as XML 1.0 has them (section 4.1).
std::string decodedXml(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        REQUIRE(std::string_view{"<>\"'\n\r"}.find(text.front()) == std::string_view::npos);
        if (text.front() != '&') {
            out += text.front();
            text.remove_prefix(1);
            continue;
        }
        const auto end = text.find(';');
        REQUIRE(end != std::string_view::npos);
        const std::string_view name = text.substr(1, end - 1);
        if (name == "amp")
            out += '&';
        else if (name == "lt")
            out += '<';
        else if (name == "gt")
            out += '>';
        else if (name == "quot")
            out += '"';
        else if (name == "apos")
            out += '\'';
        else {
            REQUIRE(name.starts_with('#'));
            const bool isHex = name.starts_with("#x");
            out += static_cast<char>(std::stoi(std::string{name.substr(isHex ? 2 : 1)}, nullptr, isHex ? 16 : 10));
        }
        text.remove_prefix(end + 1);
    }
    return out;
}

}  // namespace

FUZZ_TARGET(http_template) {
    fuzz::Input lines(input);
    const std::string_view written = lines.line();
    const std::string_view text = lines.rest();
    const HttpValues values{"+4915112345678", "Example", text, "secret"};
    try {
        const HttpTemplate header("sms.http_headers", written, Escaping::None);
        const std::string value = header.fill(values);
        if (written.find('{') == std::string_view::npos) REQUIRE(value == written);
        REQUIRE(!header.holds(Placeholder::Secret) || value.find("secret") != std::string::npos);
    } catch (const ConfigurationError& error) {
        REQUIRE(std::string_view{error.what()}.starts_with("sms.http_headers"));
    }

    const HttpTemplate url("sms.http_url", "{text}", Escaping::Percent);
    const std::string encoded = url.fill(values);
    const auto decoded = http::percentDecode(encoded, http::PlusSign::Space);
    REQUIRE(decoded.isWellFormed && decoded.text == text);
    REQUIRE(encoded.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%") ==
            std::string::npos);

    const SmsLength length = measureSms(text);
    REQUIRE(length.segments >= 1 && fitsOneSms(text) == (length.segments == 1));
    if (!isValidUtf8(text) || text.find('\0') != std::string_view::npos) return;
    REQUIRE(length.units <= 2 * text.size());
    const HttpTemplate json("sms.http_body", R"({"a":"{text}"})", Escaping::Json);
    const auto object = Poco::JSON::Parser().parse(json.fill(values)).extract<Poco::JSON::Object::Ptr>();
    REQUIRE(object->getValue<std::string>("a") == text);
    const HttpTemplate xml("sms.http_body", "{text}", Escaping::Xml);
    REQUIRE(decodedXml(xml.fill(values)) == text);
}
