# Compiler settings of every target of this project, never of a dependency (those come in as SYSTEM).
add_library(tm_settings INTERFACE)
target_compile_features(tm_settings INTERFACE cxx_std_20)
target_include_directories(tm_settings INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(tm_settings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-missing-field-initializers
  -ffile-prefix-map=${PROJECT_SOURCE_DIR}=.
  $<$<BOOL:${TM_WERROR}>:-Werror>)
target_compile_definitions(tm_settings INTERFACE TM_VERSION="v${PROJECT_VERSION}")
if(TM_SANITIZE)
  target_compile_options(tm_settings INTERFACE -fsanitize=${TM_SANITIZE} -fno-omit-frame-pointer
                         -fno-sanitize-recover=all)
  target_link_options(tm_settings INTERFACE -fsanitize=${TM_SANITIZE})
endif()
find_package(Threads REQUIRED)
target_link_libraries(tm_settings INTERFACE Threads::Threads)

# tm_library(<folder> SOURCES a.cc b.cc DEPENDS base json …): the static library tm_<folder>.
function(tm_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;PRIVATE_DEPENDS" ${ARGN})
  add_library(tm_${name} STATIC ${ARG_SOURCES})
  target_link_libraries(tm_${name} PUBLIC tm_settings)
  foreach(dependency ${ARG_DEPENDS})
    target_link_libraries(tm_${name} PUBLIC tm_${dependency})
  endforeach()
  target_link_libraries(tm_${name} PRIVATE ${ARG_PRIVATE_DEPENDS})
endfunction()

# tm_optimize(<target>): a little in a debug build too, for what the tests run millions of times: JSON and the fakes. GCC 12
# takes a std::variant's other members for uninitialised ones then.
function(tm_optimize target)
  if(NOT TM_SANITIZE)
    target_compile_options(${target} PRIVATE $<$<CONFIG:Debug>:-O1> $<$<CONFIG:Debug>:-Wno-maybe-uninitialized>)
  endif()
endfunction()

# tm_test(<name> SOURCES … DEPENDS … [LABEL tier]): a doctest program, one CTest case; without LABEL it is of tier unit.
function(tm_test name)
  cmake_parse_arguments(ARG "" "LABEL" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES} ${PROJECT_SOURCE_DIR}/tests/doctest_main.cc)
  target_link_libraries(${name} PRIVATE tm_settings tm_doctest)
  foreach(dependency ${ARG_DEPENDS})
    target_link_libraries(${name} PRIVATE tm_${dependency})
  endforeach()
  add_test(NAME ${name} COMMAND ${name})
  # For what hangs; a loaded machine is no failure.
  set_tests_properties(${name} PROPERTIES TIMEOUT 1200)
  if(NOT ARG_LABEL)
    set(ARG_LABEL unit)
  endif()
  set_tests_properties(${name} PROPERTIES LABELS ${ARG_LABEL})
endfunction()
