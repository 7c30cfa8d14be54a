#include "otpgate/db/backup_file.h"

#include "otpgate/base/encoding.h"
#include "otpgate/base/errors.h"
#include "otpgate/base/text.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <unistd.h>
#include <vector>

// After the first line, records, each of which begins with a letter. Numbers are big-endian; a text is its length in 4
// bytes and its bytes.
//     H text text                      a note and its value
//     T text, 4 bytes, (text, kind)    a table, the number of its columns, and these: kind is i, t or b
//     R cells                          a row of it: n for NULL, i and 8 bytes, s and a text (table_rows.h)
//     E 8 bytes, 32 bytes              the number of rows, and the SHA-256 of all that stands before it; the end

namespace otpgate::db {

namespace {

constexpr std::string_view kFirstLine = "otpgate backup 1\n";
constexpr std::string_view kAnyFirstLine = "otpgate backup ";
constexpr std::size_t kDigestBytes = 32;
constexpr std::size_t kBufferBytes = 1 << 20;
constexpr std::size_t kRowsHandedOn = 5000;
// Longer than any cell, and than a packet that a server would take.
constexpr std::uint64_t kMostBytes = 16 << 20;
constexpr std::uint64_t kMostColumns = 1000;

class Digest {
public:
    Digest() : context_(EVP_MD_CTX_new()) {
        if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1) fail();
    }
    void add(std::string_view bytes) {
        if (EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) != 1) fail();
    }
    std::string take() {
        std::string out(kDigestBytes, '\0');
        if (EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(out.data()), nullptr) != 1) fail();
        return out;
    }

private:
    [[noreturn]] static void fail() { throw std::runtime_error("SHA-256 is not available"); }
    struct Free {
        void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
    };
    std::unique_ptr<EVP_MD_CTX, Free> context_;
};

char letterOf(CellKind kind) {
    switch (kind) {
    case CellKind::Integer: return 'i';
    case CellKind::Text: return 't';
    case CellKind::Blob: return 'b';
    }
    throw std::logic_error("no kind of cell");
}

[[noreturn]] void cannot(const std::string& what, const std::string& path) {
    throw std::system_error(errno, std::system_category(), "cannot " + what + " " + path);
}

// A new file that is gone again unless it is finished.
class NewFile {
public:
    explicit NewFile(const std::string& path) : path_(path), partial_(path + ".partial") {
        if (std::filesystem::exists(path)) throw ConfigurationError(path + " is there already: name another file");
        file_ = ::open(partial_.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (file_ < 0) cannot("create", partial_);
    }
    NewFile(const NewFile&) = delete;
    NewFile& operator=(const NewFile&) = delete;
    ~NewFile() {
        if (file_ < 0) return;
        ::close(file_);
        ::unlink(partial_.c_str());
    }

    void write(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t count = ::write(file_, bytes.data(), bytes.size());
            if (count < 0 && errno == EINTR) continue;
            if (count < 0) cannot("write", partial_);
            bytes.remove_prefix(static_cast<std::size_t>(count));
        }
    }
    void finish() {
        if (::fsync(file_) != 0) cannot("write", partial_);
        if (std::rename(partial_.c_str(), path_.c_str()) != 0) cannot("create", path_);
        const std::string folder = std::filesystem::absolute(path_).parent_path();
        if (const int directory = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); directory >= 0) {
            ::fsync(directory);
            ::close(directory);
        }
    }

private:
    std::string path_;
    std::string partial_;
    int file_ = -1;
};

class Writer {
public:
    explicit Writer(NewFile& file) : file_(file) { buffer_ = kFirstLine; }

    void note(const std::string& name, const std::string& value) {
        buffer_ += 'H';
        appendText(name);
        appendText(value);
    }
    void take(const Table& table, std::span<const Row> rows) {
        if (table.name != table_) {
            table_ = table.name;
            buffer_ += 'T';
            appendText(table.name);
            buffer_ += toBigEndian(table.columns.size(), 4);
            for (const TableColumn& column : table.columns) {
                appendText(column.name);
                buffer_ += letterOf(column.kind);
            }
        }
        for (const Row& row : rows) {
            buffer_ += 'R';
            for (std::size_t i = 0; i < table.columns.size(); ++i) appendCell(buffer_, row, i, table.columns[i].kind);
            if (buffer_.size() > kBufferBytes) flush();
        }
        rows_ += rows.size();
    }
    std::uint64_t rows() const { return rows_; }
    void end() {
        buffer_ += 'E' + toBigEndian(rows_);
        flush();
        file_.write(digest_.take());
    }

private:
    void appendText(std::string_view text) { buffer_.append(toBigEndian(text.size(), 4)).append(text); }
    void flush() {
        digest_.add(buffer_);
        file_.write(buffer_);
        buffer_.clear();
    }

    NewFile& file_;
    Digest digest_;
    std::string buffer_;
    std::string table_;
    std::uint64_t rows_ = 0;
};

// Hands out what stands next, and refuses what nobody wrote.
class Reader {
public:
    explicit Reader(const std::string& path) : path_(path), file_(path, std::ios::binary) {
        if (!file_) throw ConfigurationError("cannot read " + path + ": " + std::strerror(errno));
        std::string line;
        std::getline(file_, line);
        line += '\n';
        if (line != kFirstLine) {
            throw ConfigurationError(line.starts_with(kAnyFirstLine) ? path + " was written by a newer otpgate"
                                                                     : path + " is no backup of otpgate");
        }
        digest_.add(line);
    }

    std::string bytes(std::uint64_t count) {
        if (count > kMostBytes) damaged();
        std::string out(static_cast<std::size_t>(count), '\0');
        fetch(out);
        read_ += out;
        if (read_.size() > kBufferBytes) digestRead();
        return out;
    }
    char letter() { return bytes(1).front(); }
    std::uint64_t number(std::size_t size) { return fromBigEndian(bytes(size)); }
    std::string text() { return bytes(number(4)); }
    Row::Cell cell() {
        switch (letter()) {
        case 'n': return {};
        case 'i': return static_cast<std::int64_t>(number(8));
        case 's': return text();
        }
        damaged();
    }
    // What stands behind the last record.
    void requireEnd() {
        digestRead();
        const std::string expected = digest_.take();
        std::string found(kDigestBytes, '\0');
        fetch(found);
        if (found != expected || file_.peek() != std::ifstream::traits_type::eof()) damaged();
    }
    [[noreturn]] void damaged() const {
        throw ConfigurationError(path_ + " is damaged or a part only: its checksum is not that of its content");
    }

private:
    void fetch(std::string& out) {
        if (!file_.read(out.data(), static_cast<std::streamsize>(out.size()))) damaged();
    }

    void digestRead() {
        digest_.add(read_);
        read_.clear();
    }

    std::string path_;
    std::ifstream file_;
    Digest digest_;
    std::string read_;  // and not yet in the digest
};

Table readTableHead(Reader& reader) {
    Table table{.name = reader.text(), .columns = {}};
    const std::uint64_t count = reader.number(4);
    if (count > kMostColumns) reader.damaged();
    table.columns.reserve(count);
    for (std::uint64_t i = 0; i < count; ++i) {
        std::string name = reader.text();
        switch (reader.letter()) {
        case 'i': table.columns.push_back({std::move(name), CellKind::Integer}); break;
        case 't': table.columns.push_back({std::move(name), CellKind::Text}); break;
        case 'b': table.columns.push_back({std::move(name), CellKind::Blob}); break;
        default: reader.damaged();
        }
    }
    return table;
}

Row readRow(Reader& reader, const Table& table) {
    std::vector<Row::Cell> cells;
    cells.reserve(table.columns.size());
    for (const TableColumn& column : table.columns) {
        cells.push_back(reader.cell());
        const bool isNumber = std::holds_alternative<std::int64_t>(cells.back());
        const bool isNull = std::holds_alternative<std::monostate>(cells.back());
        if (!isNull && isNumber != (column.kind == CellKind::Integer)) reader.damaged();
    }
    return Row{std::move(cells)};
}

// All of a file: returns how many rows it holds.
std::uint64_t readAll(const std::string& path, BackupNotes& notes, const TakeRows& take) {
    Reader reader(path);
    Table table;
    std::vector<Row> rows;
    std::uint64_t count = 0;
    bool isNew = false;
    const auto handOn = [&] {
        if (isNew || !rows.empty()) take(table, rows);
        isNew = false;
        rows.clear();
    };
    for (;;) {
        switch (reader.letter()) {
        case 'H': {
            std::string name = reader.text();
            notes[std::move(name)] = reader.text();
            break;
        }
        case 'T':
            handOn();
            table = readTableHead(reader);
            isNew = true;
            break;
        case 'R':
            if (table.columns.empty()) reader.damaged();
            rows.push_back(readRow(reader, table));
            ++count;
            if (rows.size() == kRowsHandedOn) handOn();
            break;
        case 'E':
            if (reader.number(8) != count) reader.damaged();
            reader.requireEnd();
            handOn();
            return count;
        default: reader.damaged();
        }
    }
}

}  // namespace

void writeBackup(const std::string& path, const BackupNotes& notes, RowSource& source, const FillProgress& progress) {
    NewFile file(path);
    Writer writer(file);
    for (const auto& [name, value] : notes) writer.note(name, value);
    writer.note("schema", std::to_string(source.schemaVersion()));
    source.read([&](const Table& table, std::span<const Row> rows) {
        writer.take(table, rows);
        progress(writer.rows());
    });
    writer.end();
    file.finish();
}

struct BackupFile::State {
    std::string path;
    BackupNotes notes;
    unsigned schema = 0;
    std::uint64_t rows = 0;
};

BackupFile::BackupFile(const std::string& path) : state_(std::make_unique<State>()) {
    state_->path = path;
    state_->rows = readAll(path, state_->notes, [](const Table&, std::span<const Row>) {});
    const auto schema = parseNumber<unsigned>(state_->notes["schema"]);
    if (!schema || *schema == 0) throw ConfigurationError(path + " does not say of which version it is");
    state_->schema = *schema;
}
BackupFile::~BackupFile() = default;

const BackupNotes& BackupFile::notes() const {
    return state_->notes;
}

unsigned BackupFile::schemaVersion() const {
    return state_->schema;
}

std::uint64_t BackupFile::rowCount() const {
    return state_->rows;
}

void BackupFile::read(const TakeRows& take) {
    BackupNotes ignored;
    readAll(state_->path, ignored, take);
}

}  // namespace otpgate::db
