# fish completion for rootlet. Install it as share/fish/vendor_completions.d/rootlet.fish.
# Verbs and options are asked from the command itself, so they never go stale.

function __rootlet_verbs
    set -l command (commandline -opc)
    $command[1] --help 2>/dev/null </dev/null | string match -rg '^  ([a-z]+ +.*)' |
        string match -rv '^rootlet ' | string replace -r ' +' \t
end

# All options of a verb; --help-all where its --help shows a part of them.
function __rootlet_options
    set -l command (commandline -opc)
    set -q command[2]; or return
    begin
        $command[1] $command[2] --help
        $command[1] $command[2] --help-all
    end 2>/dev/null </dev/null | string match -rag -- '(?:^|[ ,])(--?[a-z][a-z-]*=?)' | sort -u |
        awk '{ seen[$0] } END { for (o in seen) if (!((o "=") in seen)) print o }' | sort
end

function __rootlet_values
    switch $argv[1]
        case profile
            printf '%s\n' isolated contained compat
        case net
            printf '%s\n' none host private
        case user-namespaces
            printf '%s\n' allow deny
        case ipc uts cgroup pid time
            printf '%s\n' private host
        case seccomp
            printf '%s\n' default none
        case overlay
            printf '%s\n' none tmpfs
        case mount
            printf '%s\n' auto share private extract kernel
        case verify
            printf '%s\n' off warn require
    end
end

# What the word that is being typed can become: an option, or one with its value.
function __rootlet_words
    set -l word (commandline -ct)
    if set -l name (string match -rg -- '^--([a-z-]+)=' $word)
        __rootlet_values $name | string replace -r '^' -- "--$name="
    else
        __rootlet_options
    end
end

complete -c rootlet -n 'test (count (commandline -opc)) -eq 1' -f -a '(__rootlet_verbs)'
complete -c rootlet -n 'test (count (commandline -opc)) -gt 1; and string match -q -- "-*" (commandline -ct)' \
    -f -a '(__rootlet_words)'
