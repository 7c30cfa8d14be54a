#include "cli/web_probe.h"

#include <Poco/Exception.h>
#include <Poco/Net/DNS.h>
#include <Poco/Net/IPAddress.h>
#include <Poco/Net/NetworkInterface.h>

#include <algorithm>
#include <array>
#include <curl/curl.h>
#include <memory>
#include <string_view>
#include <vector>

// Over libcurl, which is asked to connect elsewhere than the name leads to, and tells when a certificate ends.

namespace otpgate::cli {

namespace {

constexpr long kTimeoutSeconds = 5;
constexpr std::size_t kMostBytes = 64 * 1024;

struct CloseHandle {
    void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct FreeList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Handle = std::unique_ptr<CURL, CloseHandle>;
using List = std::unique_ptr<curl_slist, FreeList>;

std::size_t keep(const char* data, std::size_t, std::size_t count, void* body) {
    auto& text = *static_cast<std::string*>(body);
    text.append(data, std::min(count, kMostBytes - std::min(text.size(), kMostBytes)));
    return count;
}

std::optional<Timestamp> certificateEnd(CURL* handle) {
    curl_certinfo* chain = nullptr;
    if (curl_easy_getinfo(handle, CURLINFO_CERTINFO, &chain) != CURLE_OK || chain == nullptr || chain->num_of_certs < 1)
        return std::nullopt;
    constexpr std::string_view kName = "Expire date:";
    for (const curl_slist* line = chain->certinfo[0]; line != nullptr; line = line->next) {
        const std::string_view text = line->data;
        if (!text.starts_with(kName)) continue;
        const std::time_t time = curl_getdate(text.substr(kName.size()).data(), nullptr);
        if (time > 0) return Timestamp{std::chrono::seconds{time}};
    }
    return std::nullopt;
}

bool isOwn(const Poco::Net::IPAddress& address) {
    if (address.isLoopback()) return true;
    const auto interfaces = Poco::Net::NetworkInterface::list(true, true);
    return std::ranges::any_of(interfaces,
                               [&](const Poco::Net::NetworkInterface& one) { return one.address() == address; });
}

}  // namespace

WebAnswer askWebServer(const std::string& url, const std::string& address, const std::string& forgedClient) {
    const bool isIpv6 = address.find(':') != std::string::npos;
    const List connectTo{curl_slist_append(nullptr, ("::" + (isIpv6 ? "[" + address + "]" : address) + ":").c_str())};
    const List headers{curl_slist_append(nullptr, ("X-Forwarded-For: " + forgedClient).c_str())};
    const auto ask = [&](bool verifies, WebAnswer& answer, std::string& fault) {
        const Handle handle{curl_easy_init()};
        if (!handle) throw NoWebAnswer("libcurl does not start");
        std::array<char, CURL_ERROR_SIZE> reason{};
        answer.body.clear();
        curl_easy_setopt(handle.get(), CURLOPT_URL, url.c_str());
        curl_easy_setopt(handle.get(), CURLOPT_CONNECT_TO, connectTo.get());
        curl_easy_setopt(handle.get(), CURLOPT_HTTPHEADER, headers.get());
        curl_easy_setopt(handle.get(), CURLOPT_USERAGENT, "otpgate doctor");
        curl_easy_setopt(handle.get(), CURLOPT_NOPROXY, "*");
        curl_easy_setopt(handle.get(), CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(handle.get(), CURLOPT_TIMEOUT, kTimeoutSeconds);
        curl_easy_setopt(handle.get(), CURLOPT_CERTINFO, 1L);
        curl_easy_setopt(handle.get(), CURLOPT_SSL_VERIFYPEER, verifies ? 1L : 0L);
        curl_easy_setopt(handle.get(), CURLOPT_SSL_VERIFYHOST, verifies ? 2L : 0L);
        curl_easy_setopt(handle.get(), CURLOPT_ERRORBUFFER, reason.data());
        curl_easy_setopt(handle.get(), CURLOPT_WRITEFUNCTION, keep);
        curl_easy_setopt(handle.get(), CURLOPT_WRITEDATA, &answer.body);
        const CURLcode code = curl_easy_perform(handle.get());
        fault = reason.front() == '\0' ? curl_easy_strerror(code) : reason.data();
        if (code != CURLE_OK) return code;
        long status = 0;
        const char* own = nullptr;
        curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(handle.get(), CURLINFO_LOCAL_IP, &own);
        answer.status = static_cast<int>(status);
        answer.ownAddress = own == nullptr ? "" : own;
        answer.certificateEnd = certificateEnd(handle.get());
        return code;
    };
    WebAnswer answer;
    std::string fault;
    CURLcode code = ask(true, answer, fault);
    if (code == CURLE_PEER_FAILED_VERIFICATION) {
        answer.tlsFault = fault;
        code = ask(false, answer, fault);
    }
    if (code != CURLE_OK) throw NoWebAnswer(fault);
    return answer;
}

Whereabouts findHost(const std::string& host) {
    Whereabouts found{.here = "127.0.0.1", .elsewhere = {}, .isUnknown = false};
    try {
        const auto addresses = Poco::Net::DNS::resolve(host).addresses();
        const auto own = std::ranges::find_if(addresses, isOwn);
        if (own != addresses.end()) {
            found.here = own->toString();
        } else if (!addresses.empty()) {
            found.elsewhere = addresses.front().toString();
        }
    } catch (const Poco::Exception&) {
        found.isUnknown = true;
    }
    return found;
}

}  // namespace otpgate::cli
