// QR codes (ISO/IEC 18004), over libqrencode.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace otpgate {

// The rows of the smallest one that holds the text, without its quiet zone: '1' is dark. Empty for a text that no QR
// code holds (more than 2,331 bytes).
std::vector<std::string> qrCodeOf(std::string_view text);

}  // namespace otpgate
