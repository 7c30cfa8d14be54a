// Lines over a socket of Poco's, with TLS when asked, each operation up to a point in time. Used by SmtpDialogue, by
// one thread.
//
// The sockets do not block, and we wait ourselves: a timeout of Poco's holds for each read, of which TLS makes one for
// each byte where a server sends one now and then, and a handshake that has run into it counts as done. A write to a
// connection that is gone ends nothing, because Poco blocks SIGPIPE when it is loaded.
#pragma once

#include "delivery/mail/smtp_error.h"
#include "delivery/mail/smtp_tls.h"
#include "delivery/mail/tcp_connect.h"

#include <string>
#include <string_view>

namespace otpgate::delivery {

class SmtpStream {
public:
    // Each function throws SmtpError when the connection is of no more use.
    SmtpStream(const std::string& host, unsigned port, Deadline deadline);
    SmtpStream(const SmtpStream&) = delete;
    SmtpStream& operator=(const SmtpStream&) = delete;

    // From here on TLS. What the server sent in clear after its consent is an attempt to slip replies into the
    // encrypted dialogue (CVE-2021-38371) and ends it.
    void startTls(SmtpTls& tls, Deadline deadline);

    std::string readLine(Deadline deadline);  // without its end; at most 4096 bytes
    void write(std::string_view bytes, Deadline deadline);

    std::string localAddress() const;  // "127.0.0.1", "::1"; empty when the connection is gone
    std::string peerAddress() const;
    bool isEncrypted() const { return socket_.secure(); }

private:
    void receiveMore(Deadline deadline);

    Poco::Net::StreamSocket socket_;
    std::string received_;
};

}  // namespace otpgate::delivery
