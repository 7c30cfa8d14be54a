// Keeps the leases of the messages that a channel's queue holds, and learns on the way which of them are not to be sent
// any more. Any thread.
#pragma once

#include "delivery/courier/held_messages.h"

#include <chrono>
#include <span>
#include <vector>

namespace otpgate::delivery {

// How long a message is leased for. Short, because after a crash it rests for so long; so whoever holds a message, and
// be it in the middle of sending it, renews its lease in time.
inline constexpr std::chrono::seconds kLease{20};

class Leases {
public:
    Leases(HeldMessages& held, const CourierSurroundings& around) : held_(held), around_(around) {}

    // Of all that waits or is being sent: those that end soon. To be called each second or more often.
    void renewEnding();
    // Whether a message whose turn it is, is still ours and its code good; where it is not, the message ends here. Asks
    // the database only after it has waited for a while.
    bool isStillToBeSent(QueuedMessage& queued);

private:
    bool isFresh(const QueuedMessage& queued) const;
    // The same as the desk's; what waits and is not to be sent any more leaves the queue.
    std::vector<OutboxDesk::Holding> renew(std::span<domain::OutboxMessage> messages);
    void drop(const QueuedMessage& queued, const OutboxDesk::Holding& holding);

    HeldMessages& held_;
    CourierSurroundings around_;
};

}  // namespace otpgate::delivery
