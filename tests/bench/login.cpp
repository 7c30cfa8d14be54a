// Whole logins as users make them: ask for a code, wait for its mail, show the code. Each connection is a thread with a
// kept HTTP connection; one more thread is the mail server that otpgate sends to. Half the logins are of addresses that
// are new, half of the users in KNOWN-FILE ("ADDRESS DEVICE-TOKEN" lines).
// usage: bench-login HTTP-PORT SMTP-PORT CONNECTIONS SECONDS RUN KNOWN-FILE
// Prints a line "RESULT {...}" and takes mails until its standard input ends.
#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <poll.h>
#include <random>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <unordered_map>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

// Far above what is measured: whatever takes so long has failed.
constexpr std::chrono::seconds kPatience{10};
// So that what refuses at once is not asked a million times.
constexpr std::chrono::milliseconds kRestAfterFailure{20};
constexpr std::size_t kCodeLength = 6;

[[noreturn]] void die(const char* what) {
    std::perror(what);
    std::exit(1);
}

sockaddr_in localAddress(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

void sendAtOnce(int socket) {
    const int on = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

bool sendAll(int socket, std::string_view text) {
    while (!text.empty()) {
        const ssize_t sent = send(socket, text.data(), text.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

// Where the mail server leaves the codes, and the logins wait for them.
class Mailbox {
public:
    void expect(const std::string& address) {
        const std::lock_guard lock(mutex_);
        awaited_[address];
    }

    // The code mailed to an expected address, or nothing when none comes.
    std::optional<std::string> take(const std::string& address) {
        std::unique_lock lock(mutex_);
        Letter& letter = awaited_.at(address);
        letter.arrived.wait_for(lock, kPatience, [&letter] { return !letter.code.empty(); });
        const std::string code = letter.code;
        awaited_.erase(address);
        if (code.empty()) return std::nullopt;
        return code;
    }

    void forget(const std::string& address) {
        const std::lock_guard lock(mutex_);
        awaited_.erase(address);
    }

    void put(const std::string& address, std::string_view code) {
        const std::lock_guard lock(mutex_);
        const auto found = awaited_.find(address);
        if (found == awaited_.end()) return;  // given up
        found->second.code = code;
        found->second.arrived.notify_one();
    }

private:
    struct Letter {
        std::string code;
        std::condition_variable arrived;
    };
    std::mutex mutex_;
    std::unordered_map<std::string, Letter> awaited_;
};

// The least of RFC 5321 that a client needs, with PIPELINING, which every mail server of today offers. One thread
// serves all connections.
class MailSink {
public:
    MailSink(int port, Mailbox& mailbox)
        : mailbox_(mailbox),
          listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        const int on = 1;
        setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        const sockaddr_in address = localAddress(port);
        if (bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) die("bind");
        if (listen(listener_, 128) != 0) die("listen");
    }

    [[noreturn]] void run() {
        while (true) {
            std::vector<pollfd> watched{{listener_, POLLIN, 0}};
            for (const auto& [socket, client] : clients_) watched.push_back({socket, POLLIN, 0});
            if (poll(watched.data(), watched.size(), -1) < 0) continue;
            for (const pollfd& one : watched) {
                if (one.revents == 0) continue;
                if (one.fd == listener_) {
                    welcome();
                } else if (!serve(one.fd, clients_[one.fd])) {
                    close(one.fd);
                    clients_.erase(one.fd);
                }
            }
        }
    }

private:
    struct Client {
        std::string input;
        std::string recipient;
        bool isInMessage = false;
    };

    void welcome() {
        const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (client < 0) return;
        sendAtOnce(client);
        clients_[client];
        sendAll(client, "220 localhost\r\n");
    }

    bool serve(int socket, Client& client) {
        std::array<char, 16384> bytes{};
        const ssize_t got = recv(socket, bytes.data(), bytes.size(), 0);
        if (got <= 0) return false;
        client.input.append(bytes.data(), static_cast<std::size_t>(got));
        std::string answers;
        while (true) {
            const std::string_view end = client.isInMessage ? "\r\n.\r\n" : "\r\n";
            const std::size_t length = client.input.find(end);
            if (length == std::string::npos) return sendAll(socket, answers);
            const std::string text = client.input.substr(0, length);
            client.input.erase(0, length + end.size());
            answers += answer(client, text);
            if (text == "QUIT") {
                sendAll(socket, answers);
                return false;
            }
        }
    }

    std::string_view answer(Client& client, const std::string& text) {
        if (client.isInMessage) {
            client.isInMessage = false;
            mailbox_.put(client.recipient, codeIn(text));
            return "250 taken\r\n";
        }
        const std::string_view verb = std::string_view(text).substr(0, 4);
        if (verb == "RCPT") client.recipient = between(text, '<', '>');
        if (verb == "DATA") {
            client.isInMessage = true;
            return "354 go on\r\n";
        }
        if (verb == "EHLO") return "250-localhost\r\n250 PIPELINING\r\n";
        return verb == "QUIT" ? "221 bye\r\n" : "250 localhost\r\n";
    }

    static std::string between(const std::string& text, char open, char close) {
        const std::size_t begin = text.find(open);
        const std::size_t end = text.find(close);
        return begin == std::string::npos || end == std::string::npos ? "" : text.substr(begin + 1, end - begin - 1);
    }

    // The first line that is a code and nothing else; the text part comes before the HTML one.
    static std::string_view codeIn(std::string_view message) {
        while (!message.empty()) {
            const std::string_view line = message.substr(0, message.find("\r\n"));
            const bool isCode = line.size() == kCodeLength &&
                                std::all_of(line.begin(), line.end(), [](char c) { return c >= '0' && c <= '9'; });
            if (isCode) return line;
            message.remove_prefix(std::min(line.size() + 2, message.size()));
        }
        return {};
    }

    Mailbox& mailbox_;
    int listener_;
    std::map<int, Client> clients_;
};

struct Answer {
    int status = 0;  // 0: none came
    std::string body;

    // The value of a member that is a string without escapes.
    [[nodiscard]] std::string text(const std::string& name) const {
        const std::string before = "\"" + name + "\":\"";
        const std::size_t found = body.find(before);
        if (found == std::string::npos) return {};
        const std::size_t begin = found + before.size();
        return body.substr(begin, body.find('"', begin) - begin);
    }
};

// One connection to nginx, kept as long as nginx keeps it.
class Http {
public:
    explicit Http(int port) : address_(localAddress(port)) {}
    Http(const Http&) = delete;
    Http& operator=(const Http&) = delete;
    ~Http() { leave(); }

    Answer post(const std::string& path, const std::string& client, const std::string& body) {
        const std::string request =
            "POST " + path +
            " HTTP/1.1\r\nHost: localhost\r\n"
            "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 "
            "Firefox/128.0\r\nX-Forwarded-For: " +
            client + "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
            "\r\n\r\n" + body;
        const Answer answer = socket_ >= 0 || connect() ? exchange(request) : Answer{};
        if (answer.status == 0) leave();
        return answer;
    }

private:
    bool connect() {
        socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sendAtOnce(socket_);
        const timeval patience{std::chrono::seconds(kPatience).count(), 0};
        setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        return ::connect(socket_, reinterpret_cast<const sockaddr*>(&address_), sizeof address_) == 0;
    }

    void leave() {
        if (socket_ >= 0) close(socket_);
        socket_ = -1;
    }

    Answer exchange(const std::string& request) {
        if (!sendAll(socket_, request)) return {};
        std::string input;
        std::size_t head = std::string::npos;
        while ((head = input.find("\r\n\r\n")) == std::string::npos) {
            if (!readMore(input)) return {};
        }
        const std::optional<std::size_t> length = number(input, "\r\nContent-Length: ");
        const std::optional<std::size_t> status = number(input, "HTTP/1.1 ");
        if (!length || !status) return {};
        while (input.size() < head + 4 + *length) {
            if (!readMore(input)) return {};
        }
        // nginx ends a connection after so many requests, and says so.
        if (const std::size_t end = input.find("\r\nConnection: close\r\n"); end < head) leave();
        return {static_cast<int>(*status), input.substr(head + 4)};
    }

    bool readMore(std::string& input) const {
        std::array<char, 8192> bytes{};
        const ssize_t got = recv(socket_, bytes.data(), bytes.size(), 0);
        if (got <= 0) return false;
        input.append(bytes.data(), static_cast<std::size_t>(got));
        return true;
    }

    static std::optional<std::size_t> number(const std::string& input, std::string_view before) {
        const std::size_t found = input.find(before);
        std::size_t value = 0;
        if (found == std::string::npos) return std::nullopt;
        const char* begin = input.data() + found + before.size();
        if (std::from_chars(begin, input.data() + input.size(), value).ec != std::errc{}) return std::nullopt;
        return value;
    }

    sockaddr_in address_;
    int socket_ = -1;
};

struct KnownUser {
    std::string address;
    std::string deviceToken;
};

// What the threads share.
struct Plan {
    int httpPort = 0;
    std::chrono::seconds duration{};
    std::string run;
    std::vector<KnownUser> known;
    std::atomic<std::size_t> nextKnown{0};
    std::atomic<bool> hasComplained{false};
};

struct Times {
    std::int64_t whole = 0;
    std::int64_t request = 0;
    std::int64_t mail = 0;
    std::int64_t verify = 0;
};

// Logs in until the time is over.
class Visitor {
public:
    Visitor(Plan& plan, Mailbox& mailbox, unsigned number)
        : plan_(plan),
          mailbox_(mailbox),
          number_(number),
          http_(plan.httpPort),
          random_(std::stoul(plan.run) * 1000 + number) {}

    void run() {
        const auto begin = Clock::now();
        for (unsigned count = number_; Clock::now() - begin < plan_.duration; ++count) {
            const bool done = count % 2 == 0 ? login({newAddress(count), ""})
                                             : login(plan_.known[plan_.nextKnown++ % plan_.known.size()]);
            if (!done) std::this_thread::sleep_for(kRestAfterFailure);
        }
        elapsed = Clock::now() - begin;
    }

    std::vector<Times> times;
    Clock::duration elapsed{};
    unsigned badStatus = 0;
    unsigned broken = 0;
    unsigned withoutMail = 0;

private:
    // The random part in front spreads the addresses over the whole index.
    std::string newAddress(unsigned count) {
        std::array<char, 16> front{};
        std::snprintf(front.data(), front.size(), "n%06x.", static_cast<unsigned>(random_() & 0xffffff));
        return front.data() + plan_.run + "." + std::to_string(number_) + "." + std::to_string(count) + "@example.com";
    }

    // Out of 16 million, so that the limit of each holds by itself.
    std::string newClient() {
        const auto part = [this] { return "." + std::to_string(random_() & 0xff); };
        return "10" + part() + part() + part();
    }

    bool login(const KnownUser& user) {
        const std::string client = newClient();
        const std::string device = user.deviceToken.empty() ? "" : R"(,"device_token":")" + user.deviceToken + '"';
        const auto begin = Clock::now();
        mailbox_.expect(user.address);
        const Answer asked =
            post(202, "/api/v1/auth/otp/request", client,
                 R"({"destination":")" + user.address + R"(","purpose":"login","locale":"en-US")" + device + "}");
        if (asked.status != 202) {
            mailbox_.forget(user.address);
            return false;
        }
        const auto requested = Clock::now();
        const std::optional<std::string> code = mailbox_.take(user.address);
        if (!code) {
            ++withoutMail;
            return false;
        }
        const auto mailed = Clock::now();
        const Answer shown = post(200, "/api/v1/auth/otp/verify", client,
                                  R"({"otp_id":")" + asked.text("otp_id") + R"(","otp":")" + *code +
                                      R"(","platform":"web","device_name":"Firefox on Linux")" + device + "}");
        if (shown.status != 200) return false;
        const auto end = Clock::now();
        const auto us = [](Clock::duration time) {
            return std::chrono::microseconds(time / std::chrono::microseconds(1)).count();
        };
        times.push_back({us(end - begin), us(requested - begin), us(mailed - requested), us(end - mailed)});
        return true;
    }

    Answer post(int wanted, const std::string& path, const std::string& client, const std::string& body) {
        Answer answer = http_.post(path, client, body);
        if (answer.status == wanted) return answer;
        ++(answer.status == 0 ? broken : badStatus);
        if (!plan_.hasComplained.exchange(true)) {
            std::fprintf(stderr, "%s: status %d: %s\n", path.c_str(), answer.status, answer.body.c_str());
        }
        return answer;
    }

    Plan& plan_;
    Mailbox& mailbox_;
    unsigned number_;
    Http http_;
    std::mt19937_64 random_;
};

std::int64_t percentile(const std::vector<Times>& times, std::int64_t Times::*part, double share) {
    std::vector<std::int64_t> sorted;
    for (const Times& one : times) sorted.push_back(one.*part);
    if (sorted.empty()) return 0;
    std::sort(sorted.begin(), sorted.end());
    return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
}

void printResult(const std::vector<Visitor*>& visitors) {
    std::vector<Times> times;
    double seconds = 0;
    unsigned badStatus = 0;
    unsigned broken = 0;
    unsigned withoutMail = 0;
    for (const Visitor* visitor : visitors) {
        times.insert(times.end(), visitor->times.begin(), visitor->times.end());
        // Each ends its last login after the time is over, so the mean is what the logins took together.
        seconds += std::chrono::duration<double>(visitor->elapsed).count() / static_cast<double>(visitors.size());
        badStatus += visitor->badStatus;
        broken += visitor->broken;
        withoutMail += visitor->withoutMail;
    }
    const auto part = [&times](std::int64_t Times::*which, double share) {
        return static_cast<long>(percentile(times, which, share));
    };
    std::printf(
        "RESULT {\"seconds\":%.6f,\"requests\":%zu,\"p50_us\":%ld,\"p99_us\":%ld,"
        "\"request_p50_us\":%ld,\"mail_p50_us\":%ld,\"verify_p50_us\":%ld,"
        "\"bad_status\":%u,\"broken\":%u,\"without_mail\":%u}\n",
        seconds, times.size(), part(&Times::whole, 0.5), part(&Times::whole, 0.99), part(&Times::request, 0.5),
        part(&Times::mail, 0.5), part(&Times::verify, 0.5), badStatus, broken, withoutMail);
    std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 7) {
        std::fputs("usage: bench-login HTTP-PORT SMTP-PORT CONNECTIONS SECONDS RUN KNOWN-FILE\n", stderr);
        return 2;
    }
    Plan plan;
    plan.httpPort = std::atoi(argv[1]);
    plan.duration = std::chrono::seconds(std::atoi(argv[4]));
    plan.run = argv[5];
    std::ifstream file(argv[6]);
    for (KnownUser user; file >> user.address >> user.deviceToken;) plan.known.push_back(user);
    if (plan.known.empty()) die(argv[6]);

    Mailbox mailbox;
    MailSink sink(std::atoi(argv[2]), mailbox);
    std::thread([&sink] { sink.run(); }).detach();

    std::vector<std::unique_ptr<Visitor>> visitors;
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < static_cast<unsigned>(std::atoi(argv[3])); ++i) {
        visitors.push_back(std::make_unique<Visitor>(plan, mailbox, i));
        threads.emplace_back([visitor = visitors.back().get()] { visitor->run(); });
    }
    for (std::thread& thread : threads) thread.join();
    std::vector<Visitor*> all;
    for (const auto& visitor : visitors) all.push_back(visitor.get());
    printResult(all);
    while (std::getchar() != EOF) {
    }
    std::_Exit(0);  // the mail server never ends by itself
}
