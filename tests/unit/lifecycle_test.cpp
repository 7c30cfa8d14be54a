// What a process tells whoever watches over it, and when one of several is started again.
#include "heartbeat.h"
#include "master.h"
#include "overseer.h"
#include "start_notes.h"
#include "support_cpp/temporary_directory.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <future>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

namespace otpgate::test {
namespace lifecycle_test {

using namespace std::chrono_literals;

// systemd's end.
class NotifySocket {
public:
    explicit NotifySocket(const std::string& name) : socket_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, name.data(), name.size());
        if (name.front() == '@') address.sun_path[0] = '\0';
        const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
        CPPUNIT_ASSERT_EQUAL(0, bind(socket_, reinterpret_cast<const sockaddr*>(&address), size));
        setenv("NOTIFY_SOCKET", name.c_str(), 1);
    }
    ~NotifySocket() {
        close(socket_);
        for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) unsetenv(name);
    }
    NotifySocket(const NotifySocket&) = delete;
    NotifySocket& operator=(const NotifySocket&) = delete;

    std::string next() const {
        std::array<char, 200> text{};
        const ssize_t size = recv(socket_, text.data(), text.size(), MSG_DONTWAIT);
        return size < 0 ? "" : std::string(text.data(), static_cast<std::size_t>(size));
    }

private:
    int socket_;
};

struct Listener : Overseer {
    void ready() override {}
    void reloading() override {}
    void stopping() override {}
    void alive() override { ++beats; }
    std::optional<std::chrono::milliseconds> patience() const override { return 4ms; }
    std::atomic<int> beats = 0;
};

class LifecycleTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(LifecycleTest);
    CPPUNIT_TEST(tellsSystemdWhatItDoes);
    CPPUNIT_TEST(tellsSystemdInTheAbstractNamespace);
    CPPUNIT_TEST(saysNothingWhereNobodyListens);
    CPPUNIT_TEST(takesTheWatchdogThatIsMeantForIt);
    CPPUNIT_TEST(beatsOnlyWhileItAnswers);
    CPPUNIT_TEST(restsLongerTheOftenerItDies);
    CPPUNIT_TEST(namesWhatWaitsForARestart);
    CPPUNIT_TEST_SUITE_END();

    void tellsSystemdWhatItDoes() {
        const NotifySocket socket(directory_.path("notify"));
        Systemd systemd;
        systemd.ready();
        CPPUNIT_ASSERT_EQUAL(std::string{"READY=1"}, socket.next());
        systemd.reloading();
        CPPUNIT_ASSERT(socket.next().starts_with("RELOADING=1\nMONOTONIC_USEC="));
        systemd.alive();
        CPPUNIT_ASSERT_EQUAL(std::string{"WATCHDOG=1"}, socket.next());
        systemd.stopping();
        CPPUNIT_ASSERT_EQUAL(std::string{"STOPPING=1"}, socket.next());
    }

    void tellsSystemdInTheAbstractNamespace() {
        const NotifySocket socket("@otpgate-test-" + std::to_string(getpid()));
        Systemd().ready();
        CPPUNIT_ASSERT_EQUAL(std::string{"READY=1"}, socket.next());
    }

    void saysNothingWhereNobodyListens() {
        unsetenv("NOTIFY_SOCKET");
        Systemd().ready();
        setenv("NOTIFY_SOCKET", directory_.path("gone").c_str(), 1);
        Systemd().ready();
        unsetenv("NOTIFY_SOCKET");
    }

    void takesTheWatchdogThatIsMeantForIt() {
        CPPUNIT_ASSERT(!Systemd().patience());
        setenv("WATCHDOG_USEC", "30000000", 1);
        CPPUNIT_ASSERT(Systemd().patience() == 30s);
        setenv("WATCHDOG_PID", "1", 1);
        CPPUNIT_ASSERT(!Systemd().patience());
        setenv("WATCHDOG_PID", std::to_string(getpid()).c_str(), 1);
        CPPUNIT_ASSERT(Systemd().patience() == 30s);
        setenv("WATCHDOG_USEC", "soon", 1);
        CPPUNIT_ASSERT(!Systemd().patience());
        unsetenv("WATCHDOG_USEC");
        unsetenv("WATCHDOG_PID");
    }

    void beatsOnlyWhileItAnswers() {
        Listener listener;
        std::atomic<bool> isWell = false;
        std::atomic<int> asked = 0;
        const Heartbeat heartbeat(listener, [&](std::chrono::milliseconds) {
            ++asked;
            return isWell.load();
        });
        while (asked < 3) std::this_thread::sleep_for(1ms);
        CPPUNIT_ASSERT_EQUAL(0, listener.beats.load());
        isWell = true;
        while (listener.beats < 3) std::this_thread::sleep_for(1ms);
    }

    void restsLongerTheOftenerItDies() {
        CPPUNIT_ASSERT(restAfter(1) == 0s);
        CPPUNIT_ASSERT(restAfter(2) == 1s);
        CPPUNIT_ASSERT(restAfter(3) == 2s);
        CPPUNIT_ASSERT(restAfter(6) == 16s);
        CPPUNIT_ASSERT(restAfter(7) == 30s);
        CPPUNIT_ASSERT(restAfter(1000) == 30s);
    }

    void namesWhatWaitsForARestart() {
        Settings before;
        Settings after;
        after.publicUrl = "https://other.example.org";
        CPPUNIT_ASSERT(readAtTheStartOnly(before, after).empty());
        after.server.listen = "127.0.0.1:9000";
        after.server.processes = 2;
        CPPUNIT_ASSERT(readAtTheStartOnly(before, after) ==
                       (std::vector<std::string>{"server.listen", "server.processes"}));
    }

    TemporaryDirectory directory_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(LifecycleTest);

}  // namespace lifecycle_test
}  // namespace otpgate::test
