// One connection of the web server: its socket, what was read of its request, what is left of its answer. Used by one
// thread at a time.
#pragma once

#include "http/descriptor.h"
#include "http/fcgi_reader.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace otpgate::http {

class FcgiConnection {
public:
    using SteadyTime = std::chrono::steady_clock::time_point;
    using ReadBuffer = std::array<char, std::size_t{32} * 1024>;
    enum class Io { Done, Blocked, Closed };

    FcgiConnection(int socket, std::uint64_t number) : socket_(socket), number_(number) {}

    int socket() const { return socket_.get(); }
    std::uint64_t number() const { return number_; }  // never used again

    // Lets the reader have what is there: what was left when a request was complete, else what one read() brings.
    Io read(ReadBuffer& buffer);
    // Sends what is left of the output.
    Io write();
    // Tells the web server that nothing more will come; it may go on sending.
    void endOutput();
    bool hasOutput() const { return written_ < output_.size(); }
    std::string& output() { return output_; }

    // Whether it is kept for another request, of which nothing has come.
    bool isIdle() const { return hasServed && !isLast && reader.isUntouched() && unread_.empty() && !hasOutput(); }

    FcgiReader reader;
    // Of the request, once its parameters have been looked at.
    std::optional<CgiRequest> cgi;
    bool needsBody = true;
    // Whether it is to be closed when its output is sent.
    bool isLast = false;
    bool hasServed = false;     // a request
    bool isRegistered = false;  // with epoll
    SteadyTime deadline;

private:
    Descriptor socket_;
    const std::uint64_t number_;
    std::string unread_;
    std::string output_;
    std::size_t written_ = 0;
    bool hasEndedOutput_ = false;
};

}  // namespace otpgate::http
