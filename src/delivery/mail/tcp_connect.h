// A TCP connection to the first address of a host that answers, up to a point in time. Used by SmtpStream.
#pragma once

#include <chrono>
#include <string>

namespace otpgate::delivery {

using Deadline = std::chrono::steady_clock::time_point;

// "::1" of "[::1]", as an IPv6 address stands in a URL; any other host as it is.
std::string bareHost(const std::string& host);

// A non-blocking socket that the caller closes. Tries the addresses of the host one after the other, and leaves each
// its share of the time. Throws SmtpError with the last reason.
int connectTcp(const std::string& host, unsigned port, Deadline deadline);

// Waits until the socket is ready for `events` of poll(); false: the deadline has passed. Throws SmtpError.
bool waitFor(int socket, short events, Deadline deadline);

std::string errorText(int error);  // of errno

}  // namespace otpgate::delivery
