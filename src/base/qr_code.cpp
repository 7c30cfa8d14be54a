#include "otpgate/base/qr_code.h"

#include <cerrno>
#include <memory>
#include <new>
#include <qrencode.h>

namespace otpgate {

std::vector<std::string> qrCodeOf(std::string_view text) {
    if (text.empty()) return {};
    const auto* const bytes = reinterpret_cast<const unsigned char*>(text.data());
    errno = 0;
    const std::unique_ptr<QRcode, decltype(&QRcode_free)> code(
        QRcode_encodeData(static_cast<int>(text.size()), bytes, 0, QR_ECLEVEL_M), &QRcode_free);
    if (!code && errno == ENOMEM) throw std::bad_alloc();
    if (!code) return {};
    const auto width = static_cast<std::size_t>(code->width);
    std::vector<std::string> rows(width, std::string(width, '0'));
    for (std::size_t i = 0; i < width * width; ++i) {
        if ((code->data[i] & 1U) != 0) rows[i / width][i % width] = '1';
    }
    return rows;
}

}  // namespace otpgate
