#include "delivery/mail/file_transport.h"
#include "delivery/sms/file_sms_transport.h"
#include "otpgate/base/errors.h"
#include "support_cpp/temporary_directory.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <sys/stat.h>
#include <thread>
#include <vector>

namespace otpgate::delivery {
namespace delivery_file_transport_test {

class FileTransportTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(FileTransportTest);
    CPPUNIT_TEST(makesTheDirectoryForItsOwnerAlone);
    CPPUNIT_TEST(writesEachMessageToAFileOfItsOwnerAlone);
    CPPUNIT_TEST(ordersTheFilesByTheirNames);
    CPPUNIT_TEST(showsOnlyWholeMessages);
    CPPUNIT_TEST(triesAgainLaterWhenItCannotWrite);
    CPPUNIT_TEST(namesTheSettingWhenTheDirectoryIsUnusable);
    CPPUNIT_TEST(writesAnSmsWithItsNumberOnTheFirstLine);
    CPPUNIT_TEST_SUITE_END();

    test::TemporaryDirectory files_;
    std::string directory_ = files_.path("spool/mail");

    static unsigned modeOf(const std::string& path) {
        struct stat status {};
        CPPUNIT_ASSERT_EQUAL(0, ::stat(path.c_str(), &status));
        return status.st_mode & 07777U;
    }
    std::vector<std::string> messages() const {
        std::vector<std::string> found;
        for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
            if (entry.path().extension() == ".eml") found.push_back(entry.path().string());
        }
        std::sort(found.begin(), found.end());
        return found;
    }
    static std::string read(const std::string& path) {
        std::ifstream file(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    }

    void makesTheDirectoryForItsOwnerAlone() {
        const FileTransport transport(directory_);
        CPPUNIT_ASSERT_EQUAL(0700U, modeOf(directory_));
    }

    void writesEachMessageToAFileOfItsOwnerAlone() {
        FileTransport transport(directory_ + "/");
        CPPUNIT_ASSERT(transport.send({"a@b.example", "c@d.example", "one\r\n"}).outcome == SendResult::Outcome::Sent);
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, messages().size());
        CPPUNIT_ASSERT_EQUAL(std::string("one\r\n"), read(messages().front()));
        CPPUNIT_ASSERT_EQUAL(0600U, modeOf(messages().front()));
        CPPUNIT_ASSERT(std::filesystem::path(messages().front()).filename().string()[0] != '.');
    }

    void ordersTheFilesByTheirNames() {
        FileTransport transport(directory_);
        for (const char* text : {"1", "2", "3"}) {
            transport.send({"", "", text});
            std::this_thread::sleep_for(std::chrono::microseconds(50));
        }
        const auto found = messages();
        CPPUNIT_ASSERT_EQUAL(std::size_t{3}, found.size());
        CPPUNIT_ASSERT_EQUAL(std::string("123"), read(found[0]) + read(found[1]) + read(found[2]));
    }

    void showsOnlyWholeMessages() {
        FileTransport transport(directory_);
        const std::string content(200'000, 'x');
        std::atomic<bool> done = false;
        std::thread writer([&] {
            for (int i = 0; i < 30; ++i) transport.send({"", "", content});
            done = true;
        });
        std::size_t broken = 0;
        while (!done) {
            for (const auto& path : messages()) broken += std::filesystem::file_size(path) == content.size() ? 0U : 1U;
        }
        writer.join();
        CPPUNIT_ASSERT_EQUAL(std::size_t{0}, broken);
        CPPUNIT_ASSERT_EQUAL(std::size_t{30}, messages().size());
    }

    void triesAgainLaterWhenItCannotWrite() {
        FileTransport transport(directory_);
        std::filesystem::remove(directory_);
        const SendResult result = transport.send({"", "", "x"});
        CPPUNIT_ASSERT(result.outcome == SendResult::Outcome::TryLater);
        CPPUNIT_ASSERT_EQUAL(std::string("cannot write to mail.directory: No such file or directory"), result.reason);
    }

    void namesTheSettingWhenTheDirectoryIsUnusable() {
        const std::string file = files_.write("file", "");
        for (const std::string& path : {file, file + "/below", std::string()}) {
            try {
                const FileTransport transport(path);
                CPPUNIT_FAIL("accepted " + path);
            } catch (const ConfigurationError& error) {
                CPPUNIT_ASSERT(std::string_view(error.what()).starts_with("mail.directory"));
            }
            try {
                const FileSmsTransport transport(path);
                CPPUNIT_FAIL("accepted " + path);
            } catch (const ConfigurationError& error) {
                CPPUNIT_ASSERT(std::string_view(error.what()).starts_with("sms.directory"));
            }
        }
    }

    void writesAnSmsWithItsNumberOnTheFirstLine() {
        FileSmsTransport transport(directory_);
        CPPUNIT_ASSERT_EQUAL(0700U, modeOf(directory_));
        CPPUNIT_ASSERT(transport.send({"+12025550123", "Text\n\n@x.example #1"}).outcome == SendResult::Outcome::Sent);
        const std::filesystem::path file = std::filesystem::directory_iterator(directory_)->path();
        CPPUNIT_ASSERT_EQUAL(std::string(".txt"), file.extension().string());
        CPPUNIT_ASSERT_EQUAL(std::string("+12025550123\nText\n\n@x.example #1\n"), read(file.string()));
        CPPUNIT_ASSERT_EQUAL(0600U, modeOf(file.string()));
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(FileTransportTest);

}  // namespace delivery_file_transport_test
}  // namespace otpgate::delivery
