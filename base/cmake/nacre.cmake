# The build's own vocabulary: modules, programs and tests.

add_library(nacre_warnings INTERFACE)
target_compile_options(nacre_warnings INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wold-style-cast
  -Wimplicit-fallthrough -Wno-missing-field-initializers -Werror)

# Hardening for everything that faces hostile bytes, which is everything. _FORTIFY_SOURCE needs optimisation.
add_library(nacre_hardening INTERFACE)
target_compile_options(nacre_hardening INTERFACE -fstack-protector-strong
  $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE>
  $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>)
target_link_options(nacre_hardening INTERFACE -Wl,-z,relro,-z,now)

add_library(nacre_sanitize INTERFACE)
if(NACRE_SANITIZE)
  target_compile_options(nacre_sanitize INTERFACE -fsanitize=${NACRE_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all
    # gcc: "may be used uninitialized" is wrong about code that is instrumented; other builds have it.
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_link_options(nacre_sanitize INTERFACE -fsanitize=${NACRE_SANITIZE})
endif()
if(NACRE_FUZZERS) # coverage feedback from our libraries too, not only from the fuzz target's own file
  target_compile_options(nacre_sanitize INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(nacre_sanitize INTERFACE -fsanitize=fuzzer-no-link)
endif()

# One library per module. DEPS: modules our headers name. PRIVATE_DEPS: seen only by our .cc files.
function(nacre_module name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPS;PRIVATE_DEPS")
  add_library(nacre_${name} STATIC ${arg_SOURCES})
  add_library(nacre::${name} ALIAS nacre_${name})
  target_include_directories(nacre_${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(nacre_${name}
    PUBLIC ${arg_DEPS} nacre_sanitize nacre_hardening
    PRIVATE nacre_warnings ${arg_PRIVATE_DEPS})
endfunction()

# A program. OUTPUT: a folder below the build folder (default: the build folder itself).
function(nacre_program name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "OUTPUT" "SOURCES;DEPS")
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE nacre_warnings nacre_hardening ${arg_DEPS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/${arg_OUTPUT})
endfunction()

# A Catch2 test binary of all *_test.cc files of the calling folder. Each case becomes a ctest test.
# A case that a kernel or host cannot run calls SKIP_HERE (tests/support/skip.h), which is counted.
function(nacre_catch_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "LABELS;DEPS;SOURCES")
  if(NOT arg_SOURCES)
    file(GLOB arg_SOURCES CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*_test.cc)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE nacre_warnings nacre_catch_main ${arg_DEPS})
  target_compile_definitions(${name} PRIVATE NACRE_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
    NACRE_BINARY_DIR="${PROJECT_BINARY_DIR}")
  catch_discover_tests(${name} TEST_PREFIX "${name}: "
    PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT} SKIP_REGULAR_EXPRESSION "SKIPPED: ")
endfunction()
