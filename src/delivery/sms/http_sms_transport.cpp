#include "delivery/sms/http_sms_transport.h"

#include "delivery/sms/provider_settings.h"
#include "otpgate/base/errors.h"
#include "otpgate/base/text.h"

#include <Poco/Exception.h>
#include <Poco/JSON/Parser.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>

namespace otpgate::delivery {

namespace {

using Outcome = SendResult::Outcome;
using Cause = SendResult::Cause;

Escaping escapingOf(HttpBodyType type) {
    switch (type) {
    case HttpBodyType::Json: return Escaping::Json;
    case HttpBodyType::Form: return Escaping::Percent;
    case HttpBodyType::Xml: return Escaping::Xml;
    }
    return Escaping::None;
}

std::string_view contentType(HttpBodyType type) {
    switch (type) {
    case HttpBodyType::Json: return "application/json";
    case HttpBodyType::Form: return "application/x-www-form-urlencoded";
    case HttpBodyType::Xml: return "text/xml; charset=utf-8";
    }
    return {};
}

bool holdsControlCharacter(std::string_view text) {
    return std::ranges::any_of(text, isControl);
}

// Without a placeholder before the path: where a message goes does not hang on what is in it.
void checkUrl(const std::string& url) {
    constexpr std::string_view kNoUrlCharacters = " \"<>\\^`|#";
    const bool isPlain = std::all_of(url.begin(), url.end(), [&](char c) {
        return isPrintable(c) && kNoUrlCharacters.find(c) == std::string_view::npos;
    });
    if (url.empty()) throw ConfigurationError("sms.http_url is needed with sms.transport = http");
    if (!isPlain || !isSafeOrigin(url)) {
        throw ConfigurationError(
            "sms.http_url must begin with https:// and a host, without login or placeholder before its path, and hold "
            "no character that a URL has not");
    }
}

// The message is left out of what is thrown: a header may hold the secret.
void checkHeader(const std::string& header) {
    constexpr std::array<std::string_view, 5> kOurs{"content-type", "content-length", "host", "transfer-encoding",
                                                    "connection"};
    const auto colon = header.find(':');
    const std::string name = header.substr(0, colon);
    const auto isNameCharacter = [](char c) { return isLetterOrDigit(c) || c == '-' || c == '_'; };
    if (colon == std::string::npos || name.empty() || !std::all_of(name.begin(), name.end(), isNameCharacter)) {
        throw ConfigurationError("sms.http_headers must be Name: value, several by comma, which no value may hold");
    }
    if (holdsControlCharacter(header)) {
        throw ConfigurationError("sms.http_headers: " + name + " holds a line end or another control character");
    }
    const std::string lower = toLower(name);
    if (std::ranges::find(kOurs, lower) == kOurs.end()) return;
    throw ConfigurationError("sms.http_headers: " + lower + " is set by otpgate (sms.http_content_type, sms.http_url)");
}

std::vector<HttpTemplate> headerTemplates(const std::vector<std::string>& headers) {
    std::vector<HttpTemplate> templates;
    templates.reserve(headers.size());
    for (const std::string& header : headers) {
        checkHeader(header);
        templates.emplace_back("sms.http_headers", header, Escaping::None);
    }
    return templates;
}

std::optional<int> parseStatus(std::string_view text) {
    const auto status = parseNumber<int>(text);
    return status && *status >= 100 && *status <= 599 ? status : std::nullopt;
}

// "200-299", "202"
std::vector<std::pair<int, int>> statusRanges(const std::vector<std::string>& words) {
    std::vector<std::pair<int, int>> ranges;
    for (const std::string_view word : words) {
        const auto dash = word.find('-');
        const auto first = parseStatus(word.substr(0, dash));
        const auto last = dash == std::string_view::npos ? first : parseStatus(word.substr(dash + 1));
        if (!first || !last || *last < *first) {
            ranges.clear();
            break;
        }
        ranges.emplace_back(*first, *last);
    }
    if (ranges.empty()) throw ConfigurationError("sms.http_success_status must be such as 200-299 or 200, 202");
    return ranges;
}

bool isJson(const std::string& text) {
    try {
        Poco::JSON::Parser().parse(text);
        return true;
    } catch (const Poco::Exception&) {
        return false;
    }
}

bool isTemporary(int status) {
    return status == 408 || status == 425 || status == 429 || status / 100 == 5;
}

}  // namespace

HttpSmsTransport::HttpSmsTransport(const SmsSettings& settings)
    : settings_(settings.http),
      from_(settings.from),
      url_("sms.http_url", settings.http.url, Escaping::Percent),
      headers_(headerTemplates(settings.http.headers)),
      body_("sms.http_body", settings.http.body, escapingOf(settings.http.bodyType)),
      success_(statusRanges(settings.http.successStatus)),
      timeout_(settings.timeout),
      client_(httpSettings(settings)) {
    check(settings);
    checkConnection(settings);
    secrets_.add(settings_.secret);
}

void HttpSmsTransport::check(const SmsSettings& settings) const {
    checkUrl(settings_.url);
    const bool isGet = settings_.method == HttpMethod::Get;
    if (isGet && !settings_.body.empty())
        throw ConfigurationError("sms.http_body must be empty with sms.http_method = GET");
    for (const HttpTemplate& header : headers_) {
        if (header.holds(Placeholder::Text)) throw ConfigurationError("sms.http_headers: {text} has line ends");
    }
    if (!holds(Placeholder::Text)) throw ConfigurationError("neither sms.http_url nor sms.http_body holds {text}");
    if (!holds(Placeholder::To) && !holds(Placeholder::ToDigits)) {
        throw ConfigurationError("neither sms.http_url nor sms.http_body holds {to} or {to_digits}");
    }
    if (holds(Placeholder::From) && from_.empty())
        throw ConfigurationError("sms.from is needed: sms.http_... hold {from}");
    if (holdsControlCharacter(from_)) throw ConfigurationError("sms.from holds a control character");
    if (holds(Placeholder::Secret)) {
        if (settings_.secret.empty()) throw ConfigurationError("sms.http_secret is needed: sms.http_... hold {secret}");
        if (holdsControlCharacter(settings_.secret))
            throw ConfigurationError("sms.http_secret holds a control character");
    }
    const HttpRequest sample = request({"+12025550123", "1 \"2\"\n\n@host #1"});
    if (settings.http.bodyType == HttpBodyType::Json && !isGet && !isJson(sample.body)) {
        throw ConfigurationError("sms.http_body is not JSON when it is filled in: a placeholder stands within quotes");
    }
}

bool HttpSmsTransport::holds(Placeholder placeholder) const {
    return url_.holds(placeholder) || body_.holds(placeholder) ||
           std::any_of(headers_.begin(), headers_.end(),
                       [placeholder](const HttpTemplate& header) { return header.holds(placeholder); });
}

HttpRequest HttpSmsTransport::request(const SmsMessage& message) const {
    const HttpValues values{message.recipient, from_, message.text, settings_.secret};
    HttpRequest request{settings_.method, url_.fill(values), {}, body_.fill(values)};
    for (const HttpTemplate& header : headers_) request.headers.push_back(header.fill(values));
    if (settings_.method != HttpMethod::Get) {
        request.headers.push_back("Content-Type: " + std::string(contentType(settings_.bodyType)));
    }
    return request;
}

bool HttpSmsTransport::isSuccess(int status) const {
    return std::any_of(success_.begin(), success_.end(),
                       [status](const auto& range) { return status >= range.first && status <= range.second; });
}

SendResult HttpSmsTransport::judge(const HttpReply& reply) const {
    const std::string name = "http: " + std::to_string(reply.status);
    if (isSuccess(reply.status)) {
        if (reply.body.find(settings_.successBody) != std::string::npos) return {};
        // Not tried again: where the setting is wrong, each try is a message that arrives and is paid for.
        SendResult refused{Outcome::Refused, name + " without sms.http_success_body"};
        refused.mayHaveBeenTaken = true;
        refused.advice = "see what the gateway answers (otpgate sms-test NUMBER), and compare sms.http_success_body";
        return refused;
    }
    if (isTemporary(reply.status)) return {Outcome::TryLater, name, Cause::Provider, reply.retryAfter};
    SendResult result{Outcome::Refused, name};
    // Some gateways mean the recipient by 403 and 404, so the messages to others are not held up by it.
    const bool isAccess = reply.status == 401 || reply.status == 403;
    const bool isPlace = reply.status / 100 == 3 || reply.status == 404 || reply.status == 405;
    if (!isAccess && !isPlace) return result;
    result.outcome = Outcome::TryLater;
    result.cause = reply.status == 403 || reply.status == 404 ? Cause::Message : Cause::Provider;
    result.advice = isAccess ? "check sms.http_secret, and that a header, the URL or the body holds {secret}"
                             : "check sms.http_url and sms.http_method: no redirect is followed";
    return result;
}

SendResult HttpSmsTransport::send(const SmsMessage& message) {
    secrets_.beginMessage({message.code, message.text, message.recipient, message.link});
    try {
        const HttpReply reply = client_.send(request(message));
        return answered(reply, judge(reply), secrets_);
    } catch (const HttpError& error) {
        return noAnswer("http", error, secrets_);
    }
}

}  // namespace otpgate::delivery
