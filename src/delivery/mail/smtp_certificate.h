// What a mail server's certificate says, and why it is not good. Used by SmtpTls; what comes from the certificate is
// cut and made printable.
#pragma once

#include <openssl/x509.h>

#include <string>

namespace otpgate::delivery {

struct ServerCertificate {
    std::string subject;  // "CN = mail.example.com"
    std::string issuer;
    std::string names;  // what it is good for: "mail.example.com, *.example.net"
    std::string validFrom;
    std::string validUntil;  // "Nov 27 05:12:00 2026 GMT"

    static ServerCertificate of(const X509* certificate);
};

// Where the certificate was looked for, as it must be named to who can change it.
struct CertificateOwner {
    std::string host;
    std::string section;  // of the settings
};

// A sentence about a verdict of SSL_get_verify_result(): what is wrong, and what to change. `certificate` is the one
// that was judged, which may be an authority's.
std::string certificateFailure(long verdict, const ServerCertificate& certificate, const CertificateOwner& owner);

}  // namespace otpgate::delivery
