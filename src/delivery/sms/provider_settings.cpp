#include "delivery/sms/provider_settings.h"

#include "otpgate/base/errors.h"
#include "otpgate/base/text.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <array>
#include <memory>

namespace otpgate::delivery {

namespace {

constexpr std::string_view kHttps = "https://";
constexpr std::size_t kMostAnswer = 500;
constexpr std::size_t kLongestErrorText = 160;

bool isOfToken(char c) {
    return c != ' ' && isPrintable(c);
}

void checkCaFile(const std::string& file) {
    if (file.empty()) return;
    const std::unique_ptr<X509_STORE, decltype(&X509_STORE_free)> store(X509_STORE_new(), &X509_STORE_free);
    if (store && X509_STORE_load_file(store.get(), file.c_str()) == 1) return;
    ERR_clear_error();
    throw ConfigurationError("sms.ca_file holds no certificates or cannot be read: " + file);
}

}  // namespace

bool isSafeOrigin(std::string_view url) {
    constexpr std::string_view kEnds = "/?#";
    if (url.starts_with(kHttps)) {
        const auto authority = url.substr(kHttps.size(), url.find_first_of(kEnds, kHttps.size()) - kHttps.size());
        return !authority.empty() && authority.find_first_of("@{}\\") == std::string_view::npos;
    }
    constexpr std::array<std::string_view, 3> kLoopback{"http://localhost", "http://127.0.0.1", "http://[::1]"};
    return std::any_of(kLoopback.begin(), kLoopback.end(), [&](std::string_view start) {
        if (!url.starts_with(start)) return false;
        url.remove_prefix(start.size());
        if (url.starts_with(':')) url.remove_prefix(std::min(url.find_first_not_of("0123456789", 1), url.size()));
        return url.empty() || kEnds.find(url.front()) != std::string_view::npos;
    });
}

std::string checkedBaseUrl(std::string url, std::string_view setting) {
    while (url.ends_with('/')) url.pop_back();
    const bool isPlain = std::all_of(
        url.begin(), url.end(), [](char c) { return isOfToken(c) && c != '@' && c != '?' && c != '#' && c != '\\'; });
    if (!isSafeOrigin(url) || !isPlain) {
        throw ConfigurationError(std::string(setting) +
                                 " must begin with https:// and hold neither login nor query: " + url);
    }
    return url;
}

std::string hostAndPortOf(std::string_view url) {
    const auto scheme = url.find("://");
    if (scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
    return std::string(url.substr(0, url.find_first_of("/?#")));
}

void checkSecret(const std::string& secret, std::string_view setting, std::string_view transport) {
    const std::string name(setting);
    if (secret.empty()) throw ConfigurationError(name + " is needed with sms.transport = " + std::string(transport));
    if (!std::all_of(secret.begin(), secret.end(), isOfToken)) {
        throw ConfigurationError(name + " holds a character that no token has");
    }
}

void checkConnection(const SmsSettings& settings) {
    checkCaFile(settings.caFile);
    if (settings.timeout < std::chrono::seconds(1)) throw ConfigurationError("sms.timeout must be 1s or more");
}

HttpSettings httpSettings(const SmsSettings& settings) {
    return {.caFile = settings.caFile, .username = {}, .password = {}, .timeout = settings.timeout};
}

SendResult noAnswer(std::string_view provider, const HttpError& error, const Secrets& secrets) {
    std::string reason = secrets.strikeOut(error.what());
    reason = printable(reason.substr(0, kLongestErrorText));
    SendResult result{SendResult::Outcome::TryLater, std::string(provider) + ": " + reason,
                      SendResult::Cause::Provider};
    result.mayHaveBeenTaken = error.wasSent();
    return result;
}

SendResult answered(const HttpReply& reply, SendResult result, const Secrets& secrets) {
    result.reason = secrets.strikeOut(result.reason);  // a code of an error is a number that the provider chose
    result.answer.messageId = secrets.strikeOut(result.answer.messageId);
    result.answer.httpStatus = reply.status;
    if (result.outcome != SendResult::Outcome::Sent)
        result.answer.body = secrets.strikeOut(reply.body).substr(0, kMostAnswer);
    return result;
}

}  // namespace otpgate::delivery
