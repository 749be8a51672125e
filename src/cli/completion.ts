import { commands, globalFlags, groups } from './command-table.ts';
import { UsageError } from './flags.ts';

/** A shell's completion script, made from the same table as parsing and help. */
export function completionScript(shell: string | undefined): string {
  switch (shell) {
    case 'bash':
      return bash();
    case 'zsh':
      return `#compdef slipway\nautoload -U +X bashcompinit && bashcompinit\n${bash()}`;
    case 'fish':
      return fish();
    default:
      throw new UsageError(`completion for ${JSON.stringify(shell ?? '')}: want bash, zsh or fish`);
  }
}

function bash(): string {
  const cases = commands.flatMap(({ names, flags }) =>
    names.map(
      (name) =>
        `    ${JSON.stringify(name)}) words=${JSON.stringify(flags.map((flag) => `--${flag.name}`).join(' '))} ;;`,
    ),
  );
  const members = Object.keys(groups).map(
    (group) => `    ${group}) words=${JSON.stringify(membersOf(group).join(' '))} ;;`,
  );
  return `_slipway() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words="" one="\${COMP_WORDS[1]}" two="\${COMP_WORDS[1]} \${COMP_WORDS[2]}"
  if [ "$COMP_CWORD" -eq 1 ]; then words=${JSON.stringify(topWords().join(' '))}
  elif [ "$COMP_CWORD" -eq 2 ]; then case "$one" in
${members.join('\n')}
  esac; fi
  if [ -z "$words" ]; then
    case "$two" in
${cases.filter((line) => line.includes(' ', 5) && /"\w+ \w+"\)/.test(line)).join('\n')}
    esac
    [ -n "$words" ] || case "$one" in
${cases.filter((line) => /^ {4}"\w+"\)/.test(line)).join('\n')}
    esac
  fi
  case "$current" in
    -*) COMPREPLY=($(compgen -W "$words" -- "$current")) ;;
    *) if [ "$COMP_CWORD" -le 2 ] && [ -n "$words" ] && [ "\${words#--}" = "$words" ]; then COMPREPLY=($(compgen -W "$words" -- "$current"))
       else COMPREPLY=($(compgen -W "$(slipway images --format '{{.Repository}}:{{.Tag}}' 2>/dev/null)" -- "$current") $(compgen -f -- "$current")); fi ;;
  esac
}
complete -o default -F _slipway slipway`;
}

function fish(): string {
  const lines = topWords()
    .filter((word) => !word.startsWith('-'))
    .map((word) => `complete -c slipway -n __fish_use_subcommand -a ${word}`);
  for (const group of Object.keys(groups)) {
    for (const member of membersOf(group))
      lines.push(`complete -c slipway -n '__fish_seen_subcommand_from ${group}' -a ${member}`);
  }
  for (const { names, flags } of commands) {
    const [name = ''] = names.filter((each) => !each.includes(' '));
    if (name === '') continue;
    for (const flag of flags)
      lines.push(
        `complete -c slipway -n '__fish_seen_subcommand_from ${name}' -l ${flag.name}${flag.short ? ` -s ${flag.short}` : ''} -d ${JSON.stringify(flag.summary)}`,
      );
  }
  return lines.join('\n');
}

function topWords(): string[] {
  const names = commands.flatMap((command) => command.names.filter((name) => !name.includes(' ')));
  return [
    ...names,
    ...Object.keys(groups),
    'help',
    'completion',
    ...globalFlags.map((flag) => `--${flag.name}`),
  ].toSorted();
}

function membersOf(group: string): string[] {
  return commands.flatMap((command) =>
    command.names.filter((name) => name.startsWith(`${group} `)).map((name) => name.slice(group.length + 1)),
  );
}
