//go:build faults

// What a hostile camera may make of C code, for tests.

#include <new>
#include <stdexcept>
#include <sys/ptrace.h>

extern "C" {

void scrim_segfault() { *(volatile int *)nullptr = 1; }

void scrim_throw() { throw std::runtime_error("hostile picture"); }

void scrim_exhaust() {
	for (;;)
		*(volatile char *)new char[64 << 20] = 1;
}

void scrim_trace() { ptrace(PTRACE_ATTACH, 1, nullptr, nullptr); }

}
