// The same for the tests, which are compiled without optimisation and all use CppUnit.
#include "../src/precompiled.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>
