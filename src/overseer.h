// Who watches over a process and wants to hear of it: systemd, or the master that has started it.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace otpgate {

class Overseer {
public:
    virtual ~Overseer() = default;
    // It works, for the first time or again.
    virtual void ready() = 0;
    // It reads its settings anew; ready() follows, whatever comes of it.
    virtual void reloading() = 0;
    virtual void stopping() = 0;
    // It has just been seen to answer. Any thread.
    virtual void alive() = 0;
    // Where this is not said for so long, the process is taken for hung and killed; nothing: nobody listens for it.
    virtual std::optional<std::chrono::milliseconds> patience() const = 0;
};

// The protocol of sd_notify(3): datagrams to the socket that the environment names. Without one it says nothing.
class Systemd : public Overseer {
public:
    Systemd();
    void ready() override;
    void reloading() override;
    void stopping() override;
    void alive() override;
    std::optional<std::chrono::milliseconds> patience() const override { return patience_; }

private:
    void say(std::string_view lines) const;

    std::string path_;
    std::optional<std::chrono::milliseconds> patience_;
};

}  // namespace otpgate
