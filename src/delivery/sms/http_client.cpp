#include "delivery/sms/http_client.h"

#include "otpgate/base/encoding.h"

#include <algorithm>
#include <array>
#include <curl/curl.h>
#include <string_view>

namespace otpgate::delivery {

namespace {

constexpr std::size_t kMostBody = 65536;

std::size_t keep(const char* data, std::size_t /*size*/, std::size_t count, void* target) {
    auto& body = *static_cast<std::string*>(target);
    const std::size_t kept = std::min(count, kMostBody - body.size());
    body.append(data, kept);
    return kept;  // with less than `count` libcurl ends the transfer
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
