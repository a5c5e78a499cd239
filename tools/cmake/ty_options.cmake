# Flags that every target of the project gets, and the helper that makes a layer's library.

# The compiler cache, told what it must overlook to keep files that use a precompiled header.
find_program(TY_CCACHE ccache)
if(TY_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros
                                  ${TY_CCACHE})
endif()

add_library(ty_flags INTERFACE)
target_include_directories(ty_flags INTERFACE ${PROJECT_SOURCE_DIR})
# Of C++; CUDA has its own (core/backend/cuda/CMakeLists.txt).
target_compile_options(
  ty_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wpedantic;-Wshadow;-Wconversion;-Wno-sign-conversion>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(ty_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-fpch-preprocess>)
endif()
if(TY_WERROR)
  target_compile_options(ty_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Werror>)
endif()
if(TY_SANITIZE)
  target_compile_options(ty_flags INTERFACE -fsanitize=${TY_SANITIZE} -fno-omit-frame-pointer
                                            -fno-sanitize-recover=all -g1)
  target_link_options(ty_flags INTERFACE -fsanitize=${TY_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC 12 takes the inactive member of a std::variant for uninitialised once it instruments code.
    target_compile_options(ty_flags INTERFACE -Wno-maybe-uninitialized)
  endif()
endif()

# Most of a source's time is its headers': sources of one folder are compiled a few at a time. Names in
# an anonymous namespace are therefore one file's alone within a layer, but for core/backend, where kernels are what
# takes time (core/CMakeLists.txt).
option(TY_UNITY "Compile several sources at once" ON)

# ty_add_layer(core): static library ty_core with alias ty::core; its folders add their sources with
# target_sources(ty_core PRIVATE ...).
function(ty_add_layer name)
  add_library(ty_${name} STATIC)
  add_library(ty::${name} ALIAS ty_${name})
  target_link_libraries(ty_${name} PUBLIC ty_flags)
  target_precompile_headers(ty_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tools/cmake/precompiled.h)
  if(TY_UNITY)
    set_target_properties(ty_${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 6)
  endif()
endfunction()
