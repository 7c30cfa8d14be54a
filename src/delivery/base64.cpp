#include "delivery/base64.h"

#include <Poco/Base64Decoder.h>
#include <Poco/Exception.h>

#include <iterator>
#include <sstream>

namespace otpgate::delivery {

std::string fromBase64(std::string_view base64) {
    if (base64.size() > 4096) return {};
    std::istringstream in{std::string(base64)};
    Poco::Base64Decoder decoder(in);
    try {
        return {std::istreambuf_iterator<char>(decoder), {}};
    } catch (const Poco::Exception&) {
        return {};
    }
}

}  // namespace otpgate::delivery
