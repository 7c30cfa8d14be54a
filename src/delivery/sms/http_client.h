// One request after the other to another server, over a connection that is kept in between. Used by the SMS transports
// and by what posts notices, each object by one thread.
//
// Over libcurl: it holds one timeout over all of a request, name lookup included, tries a host's addresses side by
// side, reads every form of answer (chunked, interim), takes the way through a proxy that https_proxy names, and says
// what is wrong with a certificate.
#pragma once

#include "otpgate/delivery/sms_transport.h"

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace otpgate::delivery {

// No answer. what() may quote a little of what the server said.
class HttpError : public std::runtime_error {
public:
    enum class Sent { Nothing, Request };  // Request: some of it at least, so it may have had an effect
    explicit HttpError(const std::string& text, Sent sent = Sent::Nothing) : std::runtime_error(text), sent_(sent) {}
    bool wasSent() const { return sent_ == Sent::Request; }

private:
    Sent sent_;
};

struct HttpRequest {
    HttpMethod method = HttpMethod::Post;
    std::string url;
    std::vector<std::string> headers;  // "Name: value", without CR and LF
    std::string body;                  // not with Get
};

struct HttpReply {
    int status = 0;
    std::string body;                                // what goes beyond 64 KiB is neither kept nor waited for
    bool isWhole = true;                             // false: more was to follow, or broke off
    std::optional<std::chrono::seconds> retryAfter;  // RFC 9110, section 10.2.3, in either form
};

// Whom it connects to: the address that a name resolves to is looked at when it is connected to, so nobody can exchange
// it in between. Without a proxy, which would resolve the name itself.
enum class HttpReach { Anywhere, PublicAddresses };

struct HttpSettings {
    std::string caFile;  // empty: the system's authorities
    std::string username;
    std::string password;  // HTTP Basic
    std::chrono::seconds timeout{10};
    HttpReach reach = HttpReach::Anywhere;
};

class HttpClient {
public:
    using Fields = std::vector<std::pair<std::string, std::string>>;

    explicit HttpClient(HttpSettings settings);
    ~HttpClient();
    HttpClient(const HttpClient&) = delete;
    HttpClient& operator=(const HttpClient&) = delete;

    // No redirect is followed. Throws HttpError where no status came: once it did, the server has decided, and what was
    // to follow it changes nothing. An http:// address is for tests on this host: no proxy is asked for
    // it.
    HttpReply send(const HttpRequest& request);
    // The fields as application/x-www-form-urlencoded.
    HttpReply post(const std::string& url, const Fields& fields);
    void disconnect();

private:
    void open();
    void setRequest(const HttpRequest& request);
    template <typename Value>
    void set(int option, Value value);

    HttpSettings settings_;
    struct Free {
        void operator()(void* handle) const;
    };
    std::unique_ptr<void, Free> handle_;  // CURL*; null while there is no connection to keep
    bool isAddressRefused_ = false;       // by HttpReach, in the request under way
};

}  // namespace otpgate::delivery
