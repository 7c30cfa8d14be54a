// A file descriptor that is closed at the end of its scope, and what to do when the kernel gives none.
#pragma once

#include <cerrno>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace otpgate::http {

class Descriptor {
public:
    explicit Descriptor(int value) : value_(value) {}
    ~Descriptor() {
        if (value_ >= 0) close(value_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    int get() const { return value_; }
    int release() { return std::exchange(value_, -1); }

private:
    int value_;
};

[[noreturn]] inline void throwErrno(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

// What a call to the kernel has returned, unless that says that it failed.
inline int orThrow(int result, const char* what) {
    if (result < 0) throwErrno(what);
    return result;
}

}  // namespace otpgate::http
