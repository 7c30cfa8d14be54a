// A TCP connection to the first address of a host that answers, up to a point in time. Used by SmtpStream.
#pragma once

#include <Poco/Exception.h>
#include <Poco/Net/StreamSocket.h>

#include <chrono>
#include <string>

namespace otpgate::delivery {

using Deadline = std::chrono::steady_clock::time_point;

// "::1" of "[::1]", as an IPv6 address stands in a URL; any other host as it is.
std::string bareHost(const std::string& host);

// A socket that does not block. Tries the addresses of the host one after the other, and leaves each its share of the
// time. Throws SmtpError with the last reason.
Poco::Net::StreamSocket connectTcp(const std::string& host, unsigned port, Deadline deadline);

// Waits until the socket is ready for `mode` of Poco's SelectMode. Throws SmtpError("timeout").
void await(const Poco::Net::StreamSocket& socket, int mode, Deadline deadline);

std::string errorText(int error);  // of errno
// What a socket of Poco's threw, in the words of errno where it tells one.
std::string errorText(const Poco::Exception& error);

}  // namespace otpgate::delivery
