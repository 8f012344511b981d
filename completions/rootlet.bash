# bash completion for rootlet and package-debian.
# Source it, or install it as share/bash-completion/completions/rootlet.
# The options are asked from the command itself, so they never go stale.

# All options of a verb; --help-all where its --help shows a part of them.
_rootlet_options() {
  { "$1" "${@:2}" --help; "$1" "${@:2}" --help-all; } 2>/dev/null </dev/null |
    grep -oE -- '(^|[ ,])--?[a-z][a-z-]*=?' | tr -d ' ,' | sort -u |
    awk '{ seen[$0] } END { for (o in seen) if (!((o "=") in seen)) print o }' | sort
}

_rootlet_verbs() {
  "$1" --help 2>/dev/null </dev/null | sed -nE '/^Examples/q; s/^  ([a-z]+) .*/\1/p'
}

_rootlet_value() {
  case "$1" in
    --profile) echo isolated contained compat ;;
    --net) echo none host private ;;
    --user-namespaces) echo allow deny ;;
    --ipc | --uts | --cgroup | --pid | --time) echo private host ;;
    --seccomp) echo default none ;;
    --rules) echo none ;;
    --overlay) echo none tmpfs ;;
    --home) echo none ;;
    --mount) echo auto share private extract kernel ;;
    --trim) echo docs caches locales logs devel debug all ;;
    --verify) echo off warn require ;;
    *) return 1 ;;
  esac
}

# Completes the value of "--name=VALUE" or "--name VALUE"; false: there is none.
_rootlet_complete_value() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} name words
  if [[ $current == '=' ]]; then # bash splits at "="
    name=$previous current=''
  elif [[ $previous == '=' ]]; then
    name=${COMP_WORDS[COMP_CWORD - 2]}
  else
    name=$previous
  fi
  words=$(_rootlet_value "$name") || return 1
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}

_rootlet() {
  local command=${COMP_WORDS[0]} current=${COMP_WORDS[COMP_CWORD]}
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_rootlet_verbs "$command") --help --version" -- "$current")
    return
  fi
  _rootlet_complete_value && return
  case "$current" in
    -*)
      mapfile -t COMPREPLY < <(compgen -W "$(_rootlet_options "$command" "${COMP_WORDS[1]}")" -- "$current")
      if [ "${#COMPREPLY[@]}" -eq 1 ] && [[ ${COMPREPLY[0]} == *= ]]; then compopt -o nospace; fi
      ;;
    *) mapfile -t COMPREPLY < <(compgen -f -- "$current") && compopt -o filenames ;;
  esac
}

# nsroot and encapsulate: their options, then files.
_rootlet_called() {
  local current=${COMP_WORDS[COMP_CWORD]}
  COMPREPLY=()
  case "$current" in
    -*) mapfile -t COMPREPLY < <(compgen -W "$(_rootlet_options "${COMP_WORDS[0]}")" -- "$current") ;;
    *) mapfile -t COMPREPLY < <(compgen -f -- "$current") && compopt -o filenames ;;
  esac
}

_package_debian() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  COMPREPLY=()
  _rootlet_complete_value && return
  case "$previous" in
    -o | --policy | --keep-root | --root)
      mapfile -t COMPREPLY < <(compgen -f -- "$current") && compopt -o filenames
      return
      ;;
  esac
  case "$current" in
    -*) mapfile -t COMPREPLY < <(compgen -W "$(_rootlet_options "${COMP_WORDS[0]}")" -- "$current") ;;
    ?*) mapfile -t COMPREPLY < <(apt-cache --no-generate pkgnames "$current" 2>/dev/null | sort) ;;
  esac
}

complete -F _rootlet rootlet
complete -F _rootlet_called nsroot encapsulate
complete -F _package_debian package-debian
