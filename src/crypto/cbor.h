// Whether what calls itself CBOR (RFC 8949) is as long as it says. libcbor makes room for as many elements as an array
// announces before it has seen one, and touches all of it: five bytes cost 8 GiB.
#pragma once

#include <string_view>

namespace otpgate::crypto {

// The one data item that these bytes are: whole, with nothing behind it, of definite lengths, and no deeper than an
// attestation.
bool isOneCborItem(std::string_view bytes);

}  // namespace otpgate::crypto
