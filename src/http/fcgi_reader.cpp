#include "http/fcgi_reader.h"

#include "otpgate/base/encoding.h"
#include "otpgate/http/json.h"

#include <algorithm>

namespace otpgate::http {

namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kHeaderBytes = 8;
// A multiple of eight, so that no record needs padding.
constexpr std::size_t kLargestContent = 65528;

// Types of records (FastCGI 1.0, section 8; the sections below are of it as well).
constexpr std::uint8_t kBeginRequest = 1;
constexpr std::uint8_t kAbortRequest = 2;
constexpr std::uint8_t kEndRequest = 3;
constexpr std::uint8_t kParams = 4;
constexpr std::uint8_t kStdin = 5;
constexpr std::uint8_t kStdout = 6;
constexpr std::uint8_t kGetValues = 9;
constexpr std::uint8_t kGetValuesResult = 10;
constexpr std::uint8_t kUnknownType = 11;

constexpr std::size_t kBeginRequestBytes = 8;
constexpr std::uint8_t kKeepConnection = 1;
// Of the end of a request (section 5.5).
constexpr std::uint8_t kRequestComplete = 0;
constexpr std::uint8_t kCannotMultiplex = 1;
constexpr std::uint8_t kUnknownRole = 3;

// The names of the variables that there are take 48 bytes.
constexpr std::size_t kMaxValuesBytes = 512;
// A web server has no reason for more than one of each.
constexpr unsigned kMaxReplies = 16;
// What nobody reads, of a request that was answered early for example, ends the connection when it gets so much.
constexpr std::size_t kMaxPassedOver = std::size_t{16} * 1024 * 1024;

void appendRecord(std::string& out, std::uint8_t type, std::uint16_t id, std::string_view content) {
    out += {static_cast<char>(kVersion), static_cast<char>(type)};
    out += toBigEndian(id, 2);
    out += toBigEndian(content.size(), 2);
    out += {'\0', '\0'};  // no padding
    out += content;
}

std::string endOfRequest(std::uint8_t protocolStatus) {
    return {'\0', '\0', '\0', '\0', static_cast<char>(protocolStatus), '\0', '\0', '\0'};
}

// The length at the front (section 3.4): one byte, or four that begin with a set bit.
std::optional<std::size_t> takeLength(std::string_view& bytes) {
    if (bytes.empty()) return std::nullopt;
    const std::size_t size = static_cast<unsigned char>(bytes[0]) < 0x80 ? 1 : 4;
    if (bytes.size() < size) return std::nullopt;
    const std::uint64_t length = fromBigEndian(bytes.substr(0, size)) & 0x7fffffffU;
    bytes.remove_prefix(size);
    return length;
}

}  // namespace

std::size_t FcgiReader::take(std::string_view bytes) {
    const std::size_t before = bytes.size();
    while (!bytes.empty() && (state_ == State::Idle || state_ == State::Parameters || state_ == State::Body)) {
        std::size_t count = 0;
        if (headerBytes_ < kHeaderBytes) {
            count = std::min(bytes.size(), kHeaderBytes - headerBytes_);
            std::copy_n(bytes.begin(), count, header_.begin() + static_cast<std::ptrdiff_t>(headerBytes_));
            headerBytes_ += count;
            if (headerBytes_ == kHeaderBytes) beginRecord();
        } else if (contentLeft_ > 0) {
            count = std::min(bytes.size(), contentLeft_);
            contentLeft_ -= count;
            put(bytes.substr(0, count));
            if (contentLeft_ == 0) endContent();
        } else {
            count = std::min(bytes.size(), paddingLeft_);
            paddingLeft_ -= count;
        }
        bytes.remove_prefix(count);
        if (headerBytes_ == kHeaderBytes && contentLeft_ == 0 && paddingLeft_ == 0) headerBytes_ = 0;
    }
    return before - bytes.size();
}

void FcgiReader::beginRecord() {
    if (header_[0] != kVersion) {
        state_ = State::Broken;
        return;
    }
    const std::uint8_t type = header_[1];
    const auto id = static_cast<std::uint16_t>(header_[2] << 8 | header_[3]);
    contentLeft_ = static_cast<std::size_t>(header_[4]) << 8 | header_[5];
    paddingLeft_ = header_[6];
    sink_ = Sink::Nowhere;
    if (id != 0) {
        beginApplicationRecord(type, id);
    } else if (type == kGetValues && contentLeft_ > 0 && contentLeft_ <= kMaxValuesBytes) {
        sink_ = Sink::Short;
    } else if (type == kGetValues) {
        reply(kGetValuesResult, 0, "");
    } else {
        reply(kUnknownType, 0, std::string{static_cast<char>(type), 0, 0, 0, 0, 0, 0, 0});
    }
    if (sink_ == Sink::Nowhere) passOver(kHeaderBytes + contentLeft_ + paddingLeft_);
}

void FcgiReader::beginApplicationRecord(std::uint8_t type, std::uint16_t id) {
    if (type == kBeginRequest) {
        if (contentLeft_ != kBeginRequestBytes) {
            state_ = State::Broken;
        } else if (state_ == State::Idle) {
            sink_ = Sink::Short;
        } else {
            reply(kEndRequest, id, endOfRequest(kCannotMultiplex));
        }
        return;
    }
    // Of a request that is not there: it was refused, answered or aborted (section 3.3).
    if (id != id_ || state_ == State::Idle) {
        if (id == id_ && type == kStdin && contentLeft_ == 0) hasSeenEnd_ = true;
        return;
    }
    const bool isParameters = state_ == State::Parameters;
    if (type == kParams && isParameters) {
        if (contentLeft_ == 0) {
            endParameters();
        } else if (parameters_.size() + contentLeft_ > kMaxParameterBytes) {
            state_ = State::TooLarge;
        } else {
            sink_ = Sink::Parameters;
        }
    } else if (type == kStdin && !isParameters) {
        hasSeenEnd_ = contentLeft_ == 0;
        if (hasSeenEnd_)
            state_ = State::Complete;
        else
            sink_ = Sink::Body;
    } else if (type == kAbortRequest) {
        refuseRequest(kRequestComplete);
        endRequest();
    } else if (type == kParams || type == kStdin) {  // out of their order
        state_ = State::Broken;
    }
}

void FcgiReader::put(std::string_view content) {
    switch (sink_) {
    case Sink::Nowhere: break;
    case Sink::Short: short_ += content; break;
    case Sink::Parameters: parameters_ += content; break;
    case Sink::Body: {
        const std::size_t kept = std::min(content.size(), kMaxBodyBytes - body_.size());
        body_ += content.substr(0, kept);
        hasMoreBody_ = hasMoreBody_ || kept < content.size();
        passOver(content.size() - kept);
        break;
    }
    }
}

void FcgiReader::endContent() {
    if (sink_ != Sink::Short) return;
    if (header_[1] == kBeginRequest)
        beginRequest();
    else
        answerValues();
    short_.clear();
}

void FcgiReader::beginRequest() {
    const auto byte = [this](std::size_t i) { return static_cast<std::uint8_t>(short_[i]); };
    const unsigned role = byte(0) * 256U + byte(1);
    id_ = static_cast<std::uint16_t>(header_[2] << 8 | header_[3]);
    keepsConnection_ = (byte(2) & kKeepConnection) != 0;
    hasSeenEnd_ = false;
    if (role != 1 && role != 2) {  // a Filter would be sent a file (section 6.4)
        refuseRequest(kUnknownRole);
        return;
    }
    role_ = role == 2 ? Role::Authorizer : Role::Responder;
    state_ = State::Parameters;
}

void FcgiReader::endParameters() {
    auto variables = parseParameters(parameters_);
    if (!variables) {
        state_ = State::Broken;
        return;
    }
    variables_ = std::move(*variables);
    // An Authorizer is sent no body at all, so no end of it either (section 6.3).
    hasSeenEnd_ = role_ == Role::Authorizer;
    state_ = hasSeenEnd_ ? State::Complete : State::Body;
}

// Section 4.1: of the variables that are asked for, those that there are; each once, however often it is named.
void FcgiReader::answerValues() {
    const auto asked = parseParameters(short_);
    if (!asked) {
        state_ = State::Broken;
        return;
    }
    std::string values;
    for (const std::string_view name : {"FCGI_MAX_CONNS", "FCGI_MAX_REQS", "FCGI_MPXS_CONNS"}) {
        const auto isIt = [name](const auto& variable) { return variable.first == name; };
        if (std::none_of(asked->begin(), asked->end(), isIt)) continue;
        const std::string_view value = name == "FCGI_MPXS_CONNS" ? "0" : "256";
        values += {static_cast<char>(name.size()), static_cast<char>(value.size())};
        values.append(name).append(value);
    }
    reply(kGetValuesResult, 0, values);
}

void FcgiReader::reply(std::uint8_t type, std::uint16_t id, std::string_view content) {
    if (++countReplies_ > kMaxReplies)
        state_ = State::Broken;
    else
        appendRecord(replies_, type, id, content);
}

void FcgiReader::refuseRequest(std::uint8_t protocolStatus) {
    reply(kEndRequest, id_, endOfRequest(protocolStatus));
    isOver_ = isOver_ || !keepsConnection_;
}

void FcgiReader::passOver(std::size_t bytes) {
    passedOver_ += bytes;
    if (passedOver_ > kMaxPassedOver) state_ = State::Broken;
}

void FcgiReader::endRequest() {
    if (state_ == State::Broken) return;
    state_ = State::Idle;
    // What is left of a record that is being read belongs to nobody.
    sink_ = Sink::Nowhere;
    variables_.clear();
    parameters_.clear();
    body_.clear();
    hasMoreBody_ = false;
    passedOver_ = 0;
    countReplies_ = 0;
}

std::optional<CgiVariables> parseParameters(std::string_view parameters) {
    CgiVariables variables;
    variables.reserve(48);  // about as many as nginx and Apache send
    while (!parameters.empty()) {
        const auto nameBytes = takeLength(parameters);
        if (!nameBytes) return std::nullopt;
        const auto valueBytes = takeLength(parameters);
        if (!valueBytes || *nameBytes + *valueBytes > parameters.size()) return std::nullopt;
        const std::string_view name = parameters.substr(0, *nameBytes);
        const std::string_view value = parameters.substr(*nameBytes, *valueBytes);
        if (name.find('\0') != std::string_view::npos || value.find('\0') != std::string_view::npos)
            return std::nullopt;
        variables.emplace_back(name, value);
        parameters.remove_prefix(*nameBytes + *valueBytes);
    }
    return variables;
}

void appendAnswer(std::string& out, std::uint16_t id, std::string_view standardOutput) {
    out.reserve(out.size() + standardOutput.size() + 64);
    while (!standardOutput.empty()) {
        const std::string_view content = standardOutput.substr(0, kLargestContent);
        appendRecord(out, kStdout, id, content);
        standardOutput.remove_prefix(content.size());
    }
    appendRecord(out, kStdout, id, "");
    appendRecord(out, kEndRequest, id, endOfRequest(kRequestComplete));
}

}  // namespace otpgate::http
