// Runs a seccomp filter on made-up system calls, without a kernel: tests check each rule, and people
// can ask what a profile answers.
//
// Source: Documentation/networking/filter.rst (classic BPF), seccomp(2) for what is loadable.
#pragma once

#include <linux/seccomp.h>

#include <cstdint>

#include "base/result.h"
#include "sandbox/seccomp/filter.h"

namespace nacre::sandbox::seccomp {

// The filter's answer, SECCOMP_RET_... with its data. kInvalidArgument for a program that the kernel
// would refuse: an unknown instruction, a jump past the end, no return.
Result<uint32_t> Emulate(const Filter& filter, const seccomp_data& call);

}  // namespace nacre::sandbox::seccomp
