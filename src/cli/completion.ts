import type { Command } from './command.ts';
import { commands, globalFlags, groups } from './command-table.ts';
import { type Flag, UsageError } from './flags.ts';

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
      throw new UsageError(`no completion for shell ${JSON.stringify(shell ?? '')}: want bash, zsh or fish`);
  }
}

/** What arguments of a command name, to be asked of a daemon that runs. */
function kindOfArguments({ usage }: Command): 'images' | 'containers' | 'volumes' | undefined {
  if (/\bCONTAINER\b/.test(usage)) return 'containers';
  if (/\b(?:SOURCE_)?IMAGE\b|\bNAME\[:TAG/.test(usage)) return 'images';
  return /\bVOLUME\b/.test(usage) ? 'volumes' : undefined;
}

const wordsOf = (flags: readonly Flag[]) => [...flags.map(({ name }) => `--${name}`), '--help'].join(' ');

function bash(): string {
  const cases = commands.map((command) => {
    const kind = kindOfArguments(command);
    const patterns = command.names.map((name) => `'${name}'`).join('|');
    return `    ${patterns}) flags='${wordsOf(command.flags)}' kind='${kind ?? ''}' ;;`;
  });
  const members = Object.keys(groups).map((group) => `    ${group}) words='${membersOf(group).join(' ')}' ;;`);
  const withValues = globalFlags
    .filter(({ kind }) => kind !== 'boolean')
    .flatMap(({ name, short }) => [`--${name}`, ...(short === undefined ? [] : [`-${short}`])]);
  return `_slipway() {
  local current="\${COMP_WORDS[COMP_CWORD]}" name='' group='' words='' flags='' kind='' i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in
      ${withValues.join('|')}) [ -z "$name$group" ] && i=$((i + 1)); continue ;;
      -*) continue ;;
    esac
    if [ -z "$name" ]; then
      name="\${COMP_WORDS[i]}"
      case "$name" in
        ${Object.keys(groups).join('|')}) group="$name" name='' ;;
      esac
      if [ -n "$group" ] && [ -z "$name" ]; then
        for ((i++; i < COMP_CWORD; i++)); do
          case "\${COMP_WORDS[i]}" in
            -*) ;;
            *) name="$group \${COMP_WORDS[i]}"; break ;;
          esac
        done
      fi
    fi
  done
  if [ -z "$name" ] && [ -n "$group" ]; then case "$group" in
${members.join('\n')}
  esac
  elif [ -z "$name" ]; then words='${topWords().join(' ')}' flags='${wordsOf(globalFlags)}'
  else case "$name" in
${cases.join('\n')}
    completion) words='bash zsh fish' ;;
  esac; fi
  case "$current" in
    -*) COMPREPLY=($(compgen -W "$flags" -- "$current")); return ;;
  esac
  case "$kind" in
    images) words="$(SLIPWAY_AUTOSTART=0 slipway images --format '{{.Repository}}:{{.Tag}}' 2>/dev/null)" ;;
    containers) words="$(SLIPWAY_AUTOSTART=0 slipway ps -a --format '{{.Names}}' 2>/dev/null)" ;;
    volumes) words="$(SLIPWAY_AUTOSTART=0 slipway volume ls -q 2>/dev/null)" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _slipway slipway`;
}

function fish(): string {
  const quoted = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const lines = topWords().map((word) => `complete -c slipway -f -n __fish_use_subcommand -a ${word}`);
  for (const group of Object.keys(groups)) {
    const seen = `__fish_seen_subcommand_from ${group}; and not __fish_seen_subcommand_from ${membersOf(group).join(' ')}`;
    for (const member of membersOf(group)) lines.push(`complete -c slipway -f -n ${quoted(seen)} -a ${member}`);
  }
  for (const { names, flags } of commands) {
    for (const name of names) {
      const condition = name
        .split(' ')
        .map((word) => `__fish_seen_subcommand_from ${word}`)
        .join('; and ');
      for (const { name: flag, short, kind, summary } of flags) {
        const letter = short === undefined ? '' : ` -s ${short}`;
        const value = kind === 'boolean' ? '' : ' -r';
        lines.push(`complete -c slipway -n ${quoted(condition)} -l ${flag}${letter}${value} -d ${quoted(summary)}`);
      }
    }
  }
  return lines.join('\n');
}

function topWords(): string[] {
  const names = commands.flatMap((command) => command.names.filter((name) => !name.includes(' ')));
  return [...names, ...Object.keys(groups), 'help', 'completion'].toSorted();
}

function membersOf(group: string): string[] {
  return commands.flatMap((command) =>
    command.names.filter((name) => name.startsWith(`${group} `)).map((name) => name.slice(group.length + 1)),
  );
}
