# Installs the SDK to a fresh prefix, copies the example away from the source tree, builds it against
# the installed package and runs it. Fails at the first step that fails.
set(work ${BINARY_DIR}/tests/example_outside_the_tree)
file(REMOVE_RECURSE ${work})
file(MAKE_DIRECTORY ${work})

function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    list(JOIN ARGV " " command)
    message(FATAL_ERROR "${command}\n${output}")
  endif()
endfunction()

run(${CMAKE_COMMAND} --install ${BINARY_DIR} --prefix ${work}/prefix --component sdk)
file(COPY ${SOURCE_DIR}/sdk/examples/word_count DESTINATION ${work})
run(${CMAKE_COMMAND} -S ${work}/word_count -B ${work}/build -G "${GENERATOR}" -DCMAKE_PREFIX_PATH=${work}/prefix
  -DCMAKE_CXX_COMPILER=${CXX_COMPILER})
run(${CMAKE_COMMAND} --build ${work}/build)

# Nothing of ours besides nacre/sdk is installed for outsiders to include.
file(GLOB_RECURSE headers RELATIVE ${work}/prefix/include ${work}/prefix/include/*)
list(SORT headers)
if(NOT headers STREQUAL "nacre/sdk/schema.h;nacre/sdk/tool.h;nacre/sdk/tool_main.h")
  message(FATAL_ERROR "installed headers: ${headers}")
endif()

function(expect arguments wanted_status wanted_text)
  execute_process(COMMAND ${work}/build/tools/word_count/word_count --call ${arguments}
    WORKING_DIRECTORY ${work} RESULT_VARIABLE status OUTPUT_VARIABLE text)
  if(NOT status EQUAL wanted_status OR NOT text STREQUAL "${wanted_text}\n")
    message(FATAL_ERROR "word_count --call ${arguments}: status ${status}, \"${text}\"")
  endif()
endfunction()

file(WRITE ${work}/text.txt "three short words\n")
expect([[{"path": "text.txt"}]] 0 "3 words")
expect([[{"path": "gone.txt"}]] 1 "error: cannot read gone.txt")
if(NOT EXISTS ${work}/build/tools/word_count/tool.yaml)
  message(FATAL_ERROR "tool.yaml is not beside the program")
endif()
