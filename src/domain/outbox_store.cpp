#include "otpgate/domain/outbox_store.h"

namespace otpgate::domain {

AuditEvent eventOf(const FinishedMessage& finished) {
    const bool isCode = finished.message.kind == MessageKind::Code;
    switch (finished.end) {
    case MessageEnd::Sent: return isCode ? AuditEvent::OtpSent : AuditEvent::NoticeSent;
    case MessageEnd::GivenUp:
    case MessageEnd::Discarded: break;
    }
    return isCode ? AuditEvent::OtpSendFailed : AuditEvent::NoticeSendFailed;
}

}  // namespace otpgate::domain
