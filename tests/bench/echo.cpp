// The least that a FastCGI program can do, to compare otpgate with: 16 threads that accept, read the body and answer
// with the headers of otp/request and an empty JSON object. usage: bench-echo SOCKET
#include <fcgiapp.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <string_view>
#include <thread>
#include <vector>

namespace {

constexpr int kThreads = 16;
constexpr int kBacklog = 1024;

// As many bytes of headers as otp/request answers; tests/bench/run checks it.
constexpr std::string_view kAnswer =
    "Status: 202 Accepted\r\n"
    "Content-Type: application/json\r\n"
    "Content-Length: 2\r\n"
    "RateLimit-Policy: \"request_per_destination\";q=5;w=3600\r\n"
    "RateLimit: \"request_per_destination\";r=4;t=3600\r\n"
    "Content-Language: en\r\n"
    "Vary: Accept-Language\r\n"
    "X-Request-Id: 0123456789abcdef0123456789abcdef\r\n"
    "Cache-Control: no-store\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"
    "\r\n"
    "{}";

void answerRequests(int socket) {
    FCGX_Request request;
    FCGX_InitRequest(&request, socket, 0);
    std::array<char, 4096> body{};
    while (FCGX_Accept_r(&request) == 0) {
        while (FCGX_GetStr(body.data(), static_cast<int>(body.size()), request.in) > 0) {
        }
        FCGX_PutStr(kAnswer.data(), static_cast<int>(kAnswer.size()), request.out);
        FCGX_Finish_r(&request);
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2 || FCGX_Init() != 0) {
        std::fputs("usage: bench-echo SOCKET\n", stderr);
        return 2;
    }
    std::signal(SIGTERM, SIG_DFL);  // the library's handler would let only one thread end
    const int socket = FCGX_OpenSocket(argv[1], kBacklog);
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) threads.emplace_back(answerRequests, socket);
    for (std::thread& thread : threads) thread.join();
}
