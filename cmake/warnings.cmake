# rootlet_warnings(TARGET): the warnings that every target of ours is built with.
function(rootlet_warnings target)
  # -Wno-restrict: gcc 12 raises false alarms on "text" + std::string (bug 105651).
  set(cxx -Wconversion -Wsign-conversion -Wswitch-enum -Wno-missing-field-initializers
          -Wno-restrict)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wshadow -Wformat=2
    "$<$<COMPILE_LANGUAGE:CXX>:${cxx}>"
    $<$<BOOL:${ROOTLET_WERROR}>:-Werror>)
endfunction()
