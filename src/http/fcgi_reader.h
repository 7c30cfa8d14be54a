// The web server's side of one FastCGI connection, record by record (FastCGI 1.0, sections 3 to 5). Bytes in, requests
// out, no input and output of its own: so no byte from outside reaches anything but these few checks.
#pragma once

#include "http/cgi.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace otpgate::http {

// More than the web servers let through: nginx 32 KiB of header fields, Apache 8 KiB in each.
inline constexpr std::size_t kMaxParameterBytes = std::size_t{64} * 1024;

class FcgiReader {
public:
    FcgiReader() = default;
    FcgiReader(const FcgiReader&) = delete;
    FcgiReader& operator=(const FcgiReader&) = delete;

    enum class State {
        Idle,        // no request, or not its first record yet
        Parameters,  // they are arriving
        Body,        // they are complete, the body is arriving
        Complete,    // all of it is there
        TooLarge,    // more than kMaxParameterBytes of them
        Broken       // not FastCGI; nothing more can be read
    };

    // Reads what it can use and says how much of it; not beyond the end of a request, which waits until endRequest().
    std::size_t take(std::string_view bytes);

    State state() const { return state_; }
    // Whether nothing has come since the last request.
    bool isUntouched() const { return state_ == State::Idle && headerBytes_ == 0; }
    // Whether the end of the request's body was seen, also after endRequest().
    bool hasSeenEnd() const { return hasSeenEnd_; }

    // Of the request, from State::Body on.
    std::uint16_t id() const { return id_; }
    Role role() const { return role_; }
    // Whether the web server wants the connection for other requests.
    bool keepsConnection() const { return keepsConnection_; }
    // Whether a request was ended by the protocol alone, and the connection with it once the replies are sent.
    bool isOver() const { return isOver_; }
    const CgiVariables& variables() const { return variables_; }
    // At most kMaxBodyBytes of it; whether there was more.
    bool hasMoreBody() const { return hasMoreBody_; }
    const std::string& body() const { return body_; }
    std::string takeBody() { return std::move(body_); }

    // The request is answered. What still comes of it is passed over.
    void endRequest();

    // Records that are to be sent: to management records, and to requests that are refused by the protocol.
    std::string takeReplies() { return std::exchange(replies_, {}); }

private:
    enum class Sink { Nowhere, Short, Parameters, Body };

    void beginRecord();
    void beginApplicationRecord(std::uint8_t type, std::uint16_t id);
    void put(std::string_view content);
    void endContent();
    void beginRequest();
    void endParameters();
    void answerValues();
    void reply(std::uint8_t type, std::uint16_t id, std::string_view content);
    void refuseRequest(std::uint8_t protocolStatus);
    void passOver(std::size_t bytes);

    State state_ = State::Idle;
    std::array<std::uint8_t, 8> header_{};
    std::size_t headerBytes_ = 0;
    std::size_t contentLeft_ = 0;
    std::size_t paddingLeft_ = 0;
    Sink sink_ = Sink::Nowhere;
    std::string short_;  // the content of a record that is read as a whole
    std::size_t passedOver_ = 0;
    unsigned countReplies_ = 0;

    std::uint16_t id_ = 0;
    Role role_ = Role::Responder;
    bool keepsConnection_ = false;
    bool hasSeenEnd_ = false;
    bool isOver_ = false;
    bool hasMoreBody_ = false;
    std::string parameters_;
    CgiVariables variables_;  // views into parameters_
    std::string body_;
    std::string replies_;
};

// Name and value pairs (section 3.4), as views into `parameters`. Nothing where a length points beyond the end, or a
// NUL is in one.
std::optional<CgiVariables> parseParameters(std::string_view parameters);

// Appends the records of an answer: its standard output and the end of the request.
void appendAnswer(std::string& out, std::uint16_t id, std::string_view standardOutput);

}  // namespace otpgate::http
