// The way from a visitor to the service: the socket, the web server before it, and which address arrives. For doctor.
#pragma once

#include "cli/findings.h"
#include "settings.h"

namespace otpgate::cli {

// Whether the web server's user may use the socket.
void examineSocket(const Settings& settings, Findings& findings);
// Asks the public address on this machine: whether we answer, by which certificate, and whom we take for the client.
void examineWay(const Settings& settings, Timestamp now, Findings& findings);

}  // namespace otpgate::cli
