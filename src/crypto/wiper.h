// Leaves no secret behind in memory that is given back.
#pragma once

#include <openssl/crypto.h>

#include <string>

namespace otpgate::crypto {

// Overwrites the text when the scope is left, by an exception too.
class Wiper {
public:
    explicit Wiper(std::string& text) : text_(text) {}
    ~Wiper() { OPENSSL_cleanse(text_.data(), text_.size()); }
    Wiper(const Wiper&) = delete;
    Wiper& operator=(const Wiper&) = delete;

private:
    std::string& text_;
};

}  // namespace otpgate::crypto
