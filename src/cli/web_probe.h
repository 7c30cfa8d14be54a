// One question to the web server of this machine by the public address, as a visitor would ask it. Used by doctor.
#pragma once

#include "otpgate/base/clock.h"

#include <optional>
#include <stdexcept>
#include <string>

namespace otpgate::cli {

// No answer came; what() says why.
class NoWebAnswer : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

struct WebAnswer {
    int status = 0;
    std::string body;
    std::string ownAddress;  // which the connection was made from
    std::string tlsFault;    // why a browser would warn; empty where it would not, and without TLS
    std::optional<Timestamp> certificateEnd;
};

// GET `url` from `address` on this machine, whatever the name in the url leads to, with the header
// `X-Forwarded-For: forgedClient`. Where the certificate is not good, it is asked all the same. Five seconds at most.
// Throws NoWebAnswer.
WebAnswer askWebServer(const std::string& url, const std::string& address, const std::string& forgedClient);

// Where the host leads to, and which of that is this machine; `here` is 127.0.0.1 where none is.
struct Whereabouts {
    std::string here;
    std::string elsewhere;   // an address that is not this machine's, where all are
    bool isUnknown = false;  // nobody knows the name
};
Whereabouts findHost(const std::string& host);

}  // namespace otpgate::cli
