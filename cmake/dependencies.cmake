# Debian's libraries; each is linked by exactly the folder that wraps it (docs/dependencies.md).
find_package(CURL 7.88 REQUIRED)
find_package(RapidJSON REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(cxxopts REQUIRED)
find_package(fmt REQUIRED)
find_package(doctest REQUIRED)

add_library(tm_rapidjson INTERFACE)
target_include_directories(tm_rapidjson SYSTEM INTERFACE ${RapidJSON_INCLUDE_DIRS} ${RAPIDJSON_INCLUDE_DIRS})

add_library(tm_doctest INTERFACE)
target_link_libraries(tm_doctest INTERFACE doctest::doctest)
