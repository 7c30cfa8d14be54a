#include "delivery/sms/http_client.h"

#include "otpgate/base/encoding.h"
#include "otpgate/domain/webhook_rules.h"

#include <algorithm>
#include <array>
#include <curl/curl.h>
#include <netinet/in.h>
#include <span>
#include <string_view>
#include <sys/socket.h>

namespace otpgate::delivery {

namespace {

constexpr std::size_t kMostBody = 65536;

std::size_t keep(const char* data, std::size_t /*size*/, std::size_t count, void* target) {
    auto& body = *static_cast<std::string*>(target);
    const std::size_t kept = std::min(count, kMostBody - body.size());
    body.append(data, kept);
    return kept;  // with less than `count` libcurl ends the transfer
}

bool isPublic(const sockaddr& address) {
    const auto bytes = [](const auto& field) {
        return std::span(reinterpret_cast<const unsigned char*>(&field), sizeof field);
    };
    if (address.sa_family == AF_INET)
        return domain::isPublicAddress(bytes(reinterpret_cast<const sockaddr_in&>(address).sin_addr));
    if (address.sa_family == AF_INET6)
        return domain::isPublicAddress(bytes(reinterpret_cast<const sockaddr_in6&>(address).sin6_addr));
    return false;
}

// As libcurl opens one itself, for public addresses alone.
curl_socket_t openPublic(void* isRefused, curlsocktype /*purpose*/, curl_sockaddr* address) {
    if (isPublic(address->addr)) return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    *static_cast<bool*>(isRefused) = true;
    return CURL_SOCKET_BAD;
}

struct FreeList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, FreeList>;

HeaderList headerList(const std::vector<std::string>& headers) {
    HeaderList list;
    for (const std::string& header : headers) {
        curl_slist* longer = curl_slist_append(list.get(), header.c_str());
        if (longer == nullptr) throw HttpError("out of memory");
        static_cast<void>(list.release());  // which it begins with
        list.reset(longer);
    }
    return list;
}

}  // namespace

void HttpClient::Free::operator()(void* handle) const {
    curl_easy_cleanup(handle);
}

HttpClient::HttpClient(HttpSettings settings) : settings_(std::move(settings)) {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) throw HttpError("libcurl does not start");
}

HttpClient::~HttpClient() {
    handle_.reset();
    curl_global_cleanup();
}

template <typename Value>
void HttpClient::set(int option, Value value) {
    const CURLcode result = curl_easy_setopt(handle_.get(), static_cast<CURLoption>(option), value);
    if (result != CURLE_OK) throw HttpError(std::string("libcurl: ") + curl_easy_strerror(result));
}

void HttpClient::open() {
    handle_.reset(curl_easy_init());
    if (!handle_) throw HttpError("out of memory");
    const auto timeout = static_cast<long>(std::chrono::milliseconds(settings_.timeout).count());
    set(CURLOPT_PROTOCOLS_STR, "https,http");
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    set(CURLOPT_TIMEOUT_MS, timeout);
    set(CURLOPT_CONNECTTIMEOUT_MS, timeout);
    set(CURLOPT_NOSIGNAL, 1L);    // a timeout by signal is nothing for a program with threads
    set(CURLOPT_QUICK_EXIT, 1L);  // does not wait for a name lookup that it has given up
    set(CURLOPT_USERAGENT, "otpgate");
    if (!settings_.caFile.empty()) {
        set(CURLOPT_CAINFO, settings_.caFile.c_str());
        set(CURLOPT_CAPATH, static_cast<char*>(nullptr));  // else the system's authorities count as well
    }
    if (!settings_.username.empty()) {
        set(CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
        set(CURLOPT_USERNAME, settings_.username.c_str());
        set(CURLOPT_PASSWORD, settings_.password.c_str());
    }
    set(CURLOPT_WRITEFUNCTION, &keep);
    if (settings_.reach == HttpReach::PublicAddresses) {
        set(CURLOPT_OPENSOCKETFUNCTION, &openPublic);
        set(CURLOPT_OPENSOCKETDATA, &isAddressRefused_);
        set(CURLOPT_PROXY, "");
    }
}

void HttpClient::setRequest(const HttpRequest& request) {
    set(CURLOPT_URL, request.url.c_str());
    set(CURLOPT_CUSTOMREQUEST, request.method == HttpMethod::Put ? "PUT" : nullptr);
    if (request.method == HttpMethod::Get) {
        set(CURLOPT_HTTPGET, 1L);
    } else {
        set(CURLOPT_POST, 1L);
        set(CURLOPT_POSTFIELDSIZE, static_cast<long>(request.body.size()));
        set(CURLOPT_COPYPOSTFIELDS, request.body.c_str());
    }
    if (request.url.starts_with("http://")) set(CURLOPT_PROXY, "");
}

HttpReply HttpClient::send(const HttpRequest& request) {
    if (!handle_) open();
    isAddressRefused_ = false;
    std::array<char, CURL_ERROR_SIZE> error{};
    HttpReply reply;
    const HeaderList headers = headerList(request.headers);
    setRequest(request);
    set(CURLOPT_HTTPHEADER, headers.get());
    set(CURLOPT_WRITEDATA, &reply.body);
    set(CURLOPT_ERRORBUFFER, error.data());
    const CURLcode result = curl_easy_perform(handle_.get());
    set(CURLOPT_HTTPHEADER, static_cast<curl_slist*>(nullptr));
    set(CURLOPT_ERRORBUFFER, static_cast<char*>(nullptr));
    long status = 0;
    curl_off_t retryAfter = 0;
    curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &status);
    if (result != CURLE_OK && status < 200) {
        if (isAddressRefused_) throw HttpError("the host has no public address");
        const std::string_view text(error.data());
        long sent = 0;
        curl_easy_getinfo(handle_.get(), CURLINFO_REQUEST_SIZE, &sent);
        throw HttpError(std::string(text.empty() ? curl_easy_strerror(result) : text),
                        sent > 0 ? HttpError::Sent::Request : HttpError::Sent::Nothing);
    }
    reply.isWhole = result == CURLE_OK;
    curl_easy_getinfo(handle_.get(), CURLINFO_RETRY_AFTER, &retryAfter);
    reply.status = static_cast<int>(status);
    if (retryAfter > 0) reply.retryAfter = std::chrono::seconds(retryAfter);
    return reply;
}

HttpReply HttpClient::post(const std::string& url, const Fields& fields) {
    HttpRequest request{HttpMethod::Post, url, {"Content-Type: application/x-www-form-urlencoded"}, {}};
    for (const auto& [name, value] : fields) {
        if (!request.body.empty()) request.body += '&';
        request.body += name + "=" + percentEncoded(value);
    }
    return send(request);
}

void HttpClient::disconnect() {
    handle_.reset();
}

}  // namespace otpgate::delivery
