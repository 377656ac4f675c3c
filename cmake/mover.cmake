# The static volume movers, and the library that carries them inside the plugin (lib/storage/mover_binaries.h).
# TM_MOVER_DIR: take volume-mover-amd64 and -arm64 from there instead of building them (a machine without PyPI).
set(TM_MOVER_DIR "" CACHE PATH "Directory with volume-mover-amd64 and volume-mover-arm64, built elsewhere")
enable_language(ASM)

if(TM_MOVER_DIR)
  set(mover_dir ${TM_MOVER_DIR})
  foreach(architecture amd64 arm64)
    if(NOT EXISTS ${mover_dir}/volume-mover-${architecture})
      message(FATAL_ERROR "TM_MOVER_DIR: there is no ${mover_dir}/volume-mover-${architecture}; `make mover` builds it")
    endif()
  endforeach()
else()
  set(mover_dir ${PROJECT_BINARY_DIR}/mover)
  file(GLOB mover_sources CONFIGURE_DEPENDS lib/mover/*.cc lib/mover/*.h lib/mover/*/*.cc lib/mover/*/*.h
       lib/base/*.cc lib/base/*.h)
  add_custom_command(
    OUTPUT ${mover_dir}/volume-mover-amd64 ${mover_dir}/volume-mover-arm64
    COMMAND ${PROJECT_SOURCE_DIR}/scripts/mover ${PROJECT_BINARY_DIR}
    DEPENDS ${mover_sources} ${PROJECT_SOURCE_DIR}/scripts/mover ${PROJECT_SOURCE_DIR}/scripts/zig-toolchain
    COMMENT "Building the static volume movers"
    VERBATIM)
endif()

add_library(tm_mover_binaries STATIC lib/storage/mover_binaries.cc lib/storage/mover_binaries.S)
target_link_libraries(tm_mover_binaries PUBLIC tm_settings tm_base)
set_source_files_properties(lib/storage/mover_binaries.S PROPERTIES
  OBJECT_DEPENDS "${mover_dir}/volume-mover-amd64;${mover_dir}/volume-mover-arm64"
  COMPILE_DEFINITIONS "MOVER_AMD64=\"${mover_dir}/volume-mover-amd64\";MOVER_ARM64=\"${mover_dir}/volume-mover-arm64\"")
