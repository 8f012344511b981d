# rootlet_warnings(TARGET): the warnings that every target of ours is built with.
function(rootlet_warnings target)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wshadow -Wformat=2
    $<$<COMPILE_LANGUAGE:CXX>:-Wconversion -Wsign-conversion -Wswitch-enum -Wno-missing-field-initializers>
    $<$<BOOL:${ROOTLET_WERROR}>:-Werror>)
endfunction()
