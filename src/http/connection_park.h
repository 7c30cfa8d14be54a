// Where connections wait for their web server without a thread: for the rest of a request, for the next one, or until
// an answer can be written on. All threads wait here, and each takes one thing to do at a time. For any thread.
#pragma once

#include "http/descriptor.h"
#include "http/fcgi_connection.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace otpgate::http {

class ConnectionPark {
public:
    using Connections = std::vector<std::unique_ptr<FcgiConnection>>;
    enum class WaitFor { Input, Output, Turn };  // Turn: nothing, others come first

    struct Event {
        bool isIncoming = false;                     // somebody wants to connect; said once, until listen()
        std::unique_ptr<FcgiConnection> connection;  // that can go on
        Connections late;                            // whose time is over: to be closed
    };

    // From `stopEvent` being readable on, next() returns at once and empty, until forgetStop().
    ConnectionPark(int listeningSocket, int stopEvent);

    // Waits for something to do; forever, or for so many milliseconds. May return without any.
    Event next(int milliseconds = -1);
    void listen();
    void forgetStop();

    void park(std::unique_ptr<FcgiConnection> connection, WaitFor what);
    // Where so many wait that descriptors get scarce: the one that has been idle longest, or else is closest to its
    // deadline. To be closed.
    std::unique_ptr<FcgiConnection> makeRoom();

    // For the end: those with nothing on their way, and an earlier deadline for the others.
    Connections takeIdle();
    void hurry(FcgiConnection::SteadyTime deadline);
    bool isEmpty() const;

private:
    using Map = std::unordered_map<std::uint64_t, std::unique_ptr<FcgiConnection>>;

    bool watch(int what, int descriptor, std::uint32_t events, std::uint64_t data);
    std::unique_ptr<FcgiConnection> take(Map::iterator found);  // with the mutex held
    Connections takeLate();
    void setTimer();  // with the mutex held

    const int listeningSocket_;
    const int stopEvent_;
    const std::size_t limit_;
    const Descriptor epoll_;
    const Descriptor timer_;

    mutable std::mutex mutex_;  // over the rest
    Map parked_;
    bool isTimerSet_ = false;
};

}  // namespace otpgate::http
