export type Shell = 'bash' | 'zsh' | 'fish';

/** Scripts by shell; `name` is the program's. Each asks `<name> __complete -- <words>`: a candidate a line, with a tab and what it is, and at the end whether files will do. */
export const SCRIPTS: Readonly<Record<Shell, (name: string) => string>> = {
  bash: (name) => `# Completion of ${name} for bash.
_${id(name)}() {
  local line words
  words=("\${COMP_WORDS[@]:1:COMP_CWORD}")
  # bash splits --option=value at the equals sign; the program wants it whole.
  local -a joined=()
  local word
  for word in "\${words[@]}"; do
    local last=$((\${#joined[@]} - 1))
    if [[ $word == "=" && $last -ge 0 ]]; then joined[last]+="="
    elif [[ $last -ge 0 && \${joined[last]} == --*= ]]; then joined[last]+="$word"
    else joined+=("$word"); fi
  done
  COMPREPLY=()
  while IFS= read -r line; do
    case "$line" in
      :files) compopt -o default 2>/dev/null ;;
      :none) ;;
      *) line="\${line%%$'\\t'*}"; [[ $line == --*=* ]] && line="\${line#*=}"; COMPREPLY+=("$line") ;;
    esac
  done < <(${name} __complete -- "\${joined[@]}" 2>/dev/null)
}
complete -F _${id(name)} ${command(name)}
`,
  zsh: (name) => `#compdef ${command(name)}
# Completion of ${name} for zsh.
_${id(name)}() {
  local -a candidates
  local line value
  for line in "\${(@f)$(${name} __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    case "$line" in
      :files) _files ;;
      :none|'') ;;
      *) value="\${line%%$'\\t'*}"; candidates+=("\${value//:/\\\\:}:\${line#*$'\\t'}") ;;
    esac
  done
  if (( \${#candidates} )); then _describe '${name}' candidates; fi
}
if [ "$funcstack[1]" = "_${id(name)}" ]; then _${id(name)} "$@"; else compdef _${id(name)} ${command(name)}; fi
`,
  fish: (name) => `# Completion of ${name} for fish.
function __${id(name)}_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  for line in (${name} __complete -- $words[2..-1] "$current" 2>/dev/null)
    switch "$line"
      case ':files'
        __fish_complete_path "$current"
      case ':none' ''
      case '*'
        echo $line
    end
  end
end
complete -c ${command(name)} -f -a '(__${id(name)}_complete)'
`,
};

function id(name: string): string {
  return name.replaceAll(/[^a-z]/g, '_');
}

/** The word that the shell looks up. */
function command(name: string): string {
  return name.replaceAll(' ', '-');
}
