#include "http/fcgi_connection.h"

#include <cerrno>
#include <string_view>
#include <sys/socket.h>
#include <utility>

namespace otpgate::http {

FcgiConnection::Io FcgiConnection::read(ReadBuffer& buffer) {
    if (!unread_.empty()) {
        unread_.erase(0, reader.take(unread_));
        return Io::Done;
    }
    ssize_t count = 0;
    do {
        count = recv(socket_.get(), buffer.data(), buffer.size(), 0);
    } while (count < 0 && errno == EINTR);
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return Io::Blocked;
    if (count <= 0) return Io::Closed;
    const std::string_view bytes{buffer.data(), static_cast<std::size_t>(count)};
    unread_ = bytes.substr(reader.take(bytes));
    return Io::Done;
}

FcgiConnection::Io FcgiConnection::write() {
    while (hasOutput()) {
        // A web server that went away while it was being answered is an error, and no signal.
        const ssize_t count = send(socket_.get(), output_.data() + written_, output_.size() - written_, MSG_NOSIGNAL);
        if (count >= 0) {
            written_ += static_cast<std::size_t>(count);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return Io::Blocked;
        } else if (errno != EINTR) {
            return Io::Closed;
        }
    }
    output_.clear();
    written_ = 0;
    return Io::Done;
}

void FcgiConnection::endOutput() {
    if (!std::exchange(hasEndedOutput_, true)) shutdown(socket_.get(), SHUT_WR);
}

}  // namespace otpgate::http
