// The pages of the program and its libraries, which are most of the memory that it seems to hold.
#pragma once

namespace otpgate {

// Gives back those that nobody writes to: code, constants, and the names of symbols. Linking and starting read many of
// them that nobody reads again; what is needed comes back from the file by itself. Not while a debugger looks on, whose
// breakpoints are in them. For the end of the start.
void releaseProgramPages();

}  // namespace otpgate
