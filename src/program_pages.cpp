#include "program_pages.h"

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <link.h>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

namespace otpgate {

namespace {

bool isTraced() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("TracerPid:")) return line != "TracerPid:\t0";
    }
    return false;
}

// Of one library. What was relocated is in segments that can be written to, also where it is read-only afterwards.
int release(dl_phdr_info* library, std::size_t, void*) {
    const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
    for (int i = 0; i < library->dlpi_phnum; ++i) {
        const ElfW(Phdr)& segment = library->dlpi_phdr[i];
        if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
        const std::uintptr_t begin = (library->dlpi_addr + segment.p_vaddr) & ~(page - 1);
        const std::uintptr_t end = library->dlpi_addr + segment.p_vaddr + segment.p_filesz;
        // NOLINTNEXTLINE(performance-no-int-to-ptr): the loader tells addresses as numbers
        madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
    }
    return 0;
}

}  // namespace

void releaseProgramPages() {
    if (!isTraced()) dl_iterate_phdr(&release, nullptr);
}

}  // namespace otpgate
