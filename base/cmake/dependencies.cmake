# All from Debian 12. Each is used by the module that its comment names; nothing else may include it.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)              # base, sdk
find_package(OpenSSL 3 REQUIRED)                       # base/digest, runtime/audit
find_package(SQLite3 REQUIRED)                         # memory/sqlite
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)  # policy/internal/yaml_tree
find_package(yaml-cpp REQUIRED)                        # tools/manifest
pkg_check_modules(SECCOMP REQUIRED IMPORTED_TARGET libseccomp)  # sandbox/seccomp
pkg_check_modules(Z3 REQUIRED IMPORTED_TARGET z3)      # policy/analysis/solver
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)  # runtime/redteam, runtime/audit
find_package(CURL REQUIRED)                            # runtime/net
find_package(CLI11 REQUIRED)                           # runtime/cli
find_package(Protobuf REQUIRED)                        # sdk/client, runtime/server; before gRPC
find_package(gRPC REQUIRED)                            # the same; defines re2::re2, which policy uses
if(NOT TARGET re2::re2)
  find_package(re2 REQUIRED)
endif()
if(NACRE_TESTS)
  find_package(Catch2 2.13 REQUIRED)
  include(Catch)
endif()
