# Defines nacre_llama: libllama and llama-common, with their headers. Only the worker program
# (runtime/inference/worker) links it.
#
# Default: the pinned release, built once by build_llama.sh into a cache outside the build folder, so
# that a fresh build folder costs seconds. NACRE_SYSTEM_LLAMA=ON takes an installed llama.cpp instead;
# it must have llama-common (its headers and library), which renders the models' chat templates and
# which not every packager ships.
if(DEFINED ENV{XDG_CACHE_HOME} AND NOT "$ENV{XDG_CACHE_HOME}" STREQUAL "")
  set(cache_default $ENV{XDG_CACHE_HOME}/nacre)
elseif(DEFINED ENV{HOME})
  set(cache_default $ENV{HOME}/.cache/nacre)
else()
  set(cache_default ${PROJECT_BINARY_DIR}/cache)
endif()
set(NACRE_CACHE_DIR ${cache_default} CACHE PATH "Where the built llama.cpp is kept")

add_library(nacre_llama INTERFACE)

if(NACRE_SYSTEM_LLAMA)
  find_package(llama REQUIRED)
  find_path(NACRE_LLAMA_COMMON_INCLUDE chat.h PATH_SUFFIXES llama-common llama/common llama.cpp/common)
  find_library(NACRE_LLAMA_COMMON_LIBRARY llama-common)
  if(NOT NACRE_LLAMA_COMMON_INCLUDE OR NOT NACRE_LLAMA_COMMON_LIBRARY)
    message(FATAL_ERROR "The installed llama.cpp lacks llama-common (chat.h and libllama-common). Set "
      "NACRE_LLAMA_COMMON_INCLUDE and NACRE_LLAMA_COMMON_LIBRARY, or configure with NACRE_SYSTEM_LLAMA=OFF")
  endif()
  target_include_directories(nacre_llama SYSTEM INTERFACE ${NACRE_LLAMA_COMMON_INCLUDE})
  target_link_libraries(nacre_llama INTERFACE ${NACRE_LLAMA_COMMON_LIBRARY} llama Threads::Threads)
else()
  if(NACRE_CUDA)
    set(backend cuda)
  else()
    set(backend cpu)
  endif()
  execute_process(COMMAND ${PROJECT_SOURCE_DIR}/runtime/inference/llama/build_llama.sh ${NACRE_CACHE_DIR} ${backend}
    OUTPUT_VARIABLE NACRE_LLAMA_DIR OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "llama.cpp could not be built: see the messages above")
  endif()
  set(NACRE_LLAMA_DIR ${NACRE_LLAMA_DIR} CACHE INTERNAL "The built llama.cpp: its source is read by tests")
  target_include_directories(nacre_llama SYSTEM INTERFACE ${NACRE_LLAMA_DIR}/src/include
    ${NACRE_LLAMA_DIR}/src/ggml/include ${NACRE_LLAMA_DIR}/src/common)
  # Order matters to the linker: users before what they use.
  foreach(library llama-common llama-common-base llama ggml ggml-cpu ggml-cuda ggml-base cpp-httplib)
    if(EXISTS ${NACRE_LLAMA_DIR}/lib/lib${library}.a)
      target_link_libraries(nacre_llama INTERFACE ${NACRE_LLAMA_DIR}/lib/lib${library}.a)
    endif()
  endforeach()
  target_link_libraries(nacre_llama INTERFACE Threads::Threads ${CMAKE_DL_LIBS} m)
  if(NACRE_CUDA)
    find_package(CUDAToolkit REQUIRED)
    target_link_libraries(nacre_llama INTERFACE CUDA::cudart_static CUDA::cublas CUDA::cublasLt CUDA::cuda_driver)
  endif()
endif()
