// What the files of this folder share of OpenSSL: owners for its objects, and its errors as exceptions.
#pragma once

#include <openssl/err.h>

#include <memory>
#include <stdexcept>
#include <string>

namespace otpgate::crypto {

template <auto freeFunction>
struct OpenSslDeleter {
    template <typename T>
    void operator()(T* object) const {
        freeFunction(object);
    }
};

template <typename T, auto freeFunction>
using OpenSslOwner = std::unique_ptr<T, OpenSslDeleter<freeFunction>>;

// OpenSSL's own words stay out of the message: they may quote what was read. The queue is emptied, so that the next
// failure in this thread is not reported as this one.
[[noreturn]] inline void throwOpenSslError(const std::string& what) {
    ERR_clear_error();
    throw std::runtime_error("OpenSSL: " + what);
}

inline void requireOpenSsl(bool succeeded, const char* what) {
    if (!succeeded) throwOpenSslError(what);
}

// As requireOpenSsl, for what returns a pointer.
template <typename T>
T* requireOpenSsl(T* object, const char* what) {
    if (object == nullptr) throwOpenSslError(what);
    return object;
}

inline unsigned char* asBytes(std::string& text) {
    return reinterpret_cast<unsigned char*>(text.data());
}
inline const unsigned char* asBytes(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace otpgate::crypto
