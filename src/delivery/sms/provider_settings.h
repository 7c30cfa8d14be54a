// What the settings of every SMS provider over HTTP have in common. Throws ConfigurationError that names the setting.
#pragma once

#include "delivery/secrets.h"
#include "delivery/sms/http_client.h"
#include "otpgate/delivery/sms_transport.h"

#include <string>
#include <string_view>

namespace otpgate::delivery {

// https, without a slash at the end, a login or a query; http only to this host, for tests: what is secret would be
// read on the way.
std::string checkedBaseUrl(std::string url, std::string_view setting);
// Whether what the URL begins with, up to its path, is https:// and a host, or http:// and this host.
bool isSafeOrigin(std::string_view url);
// "api.twilio.com:8443" of https://api.twilio.com:8443/2010; without a port where there is none.
std::string hostAndPortOf(std::string_view url);

// Printable ASCII without spaces: what keys and tokens are made of. `setting` is named where it is not, or empty.
void checkSecret(const std::string& secret, std::string_view setting, std::string_view transport);
// libcurl would tell only when it sends; the same for a timeout below a second.
void checkConnection(const SmsSettings& settings);
HttpSettings httpSettings(const SmsSettings& settings);

// What a request that got no answer comes to.
SendResult noAnswer(std::string_view provider, const HttpError& error, const Secrets& secrets);
// The result with what the provider answered, and without secrets.
SendResult answered(const HttpReply& reply, SendResult result, const Secrets& secrets);

}  // namespace otpgate::delivery
