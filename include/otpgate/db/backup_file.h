// A backup as one file: some words about it, all tables with their rows, and at the end their number and a checksum. Of
// either engine, for either engine.
#pragma once

#include "otpgate/db/table_rows.h"

#include <map>
#include <memory>
#include <string>

namespace otpgate::db {

// What a backup says of itself: "made", "by", "engine", "schema", "keys".
using BackupNotes = std::map<std::string, std::string>;

// Writes the rows of the source to `path`: first to a file beside it, of mode 0600, which takes the name when all of it
// is on the disk. Never over a file that is there. Adds "schema" to the notes. Throws std::system_error, and what the
// source throws.
void writeBackup(const std::string& path, const BackupNotes& notes, RowSource& source, const FillProgress& progress);

// Reads a file as a whole before it hands on the first row.
class BackupFile final : public RowSource {
public:
    // Throws ConfigurationError where it cannot be read, is no backup, is of a later form, ends early, or is not as it
    // was written.
    explicit BackupFile(const std::string& path);
    ~BackupFile() override;

    const BackupNotes& notes() const;
    unsigned schemaVersion() const override;
    std::uint64_t rowCount() const override;
    void read(const TakeRows& take) override;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace otpgate::db
