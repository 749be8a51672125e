import { lstatSync, readlinkSync } from 'node:fs';
import { fileModeOfStat, goModeOf } from '../../api/filesync/go-file-mode.ts';
import type { ReadDirRequest, ReadFileRequest, StatFileRequest } from '../../api/gen/gateway_pb.js';
import { notFound } from '../../base/errors.ts';
import { compileGoMatch } from '../../dockerfile/go-match.ts';
import { namesIn } from '../../snapshot/select-files.ts';
import { joinBytes, resolveTreePath, toBytes, toText } from '../../snapshot/tree-path.ts';
import { readInRoot } from '../../worker/read-in-root.ts';

/** What frontends read of a tree. Paths are resolved inside of the root. */
export function readFile(root: string, { FilePath: path, Range: range }: ReadFileRequest) {
  const bytes = readInRoot(root, path);
  if (!bytes) throw notFound(`open ${path}: no such file or directory`);
  const offset = Math.max(0, Number(range?.Offset ?? 0n));
  return { Data: bytes.subarray(offset, range && range.Length > 0n ? offset + Number(range.Length) : undefined) };
}

export function readDirectory(root: string, { DirPath: path, IncludePattern: pattern }: ReadDirRequest) {
  const matches = pattern === '' ? () => true : compileGoMatch(pattern);
  const directory = resolveTreePath(root, path, true);
  const names = namesIn(directory).filter((name) => matches(toText(name)));
  return { entries: names.map((name) => statOf(joinBytes(directory, name), toText(name))) };
}

export function statFile(root: string, { Path: path }: StatFileRequest) {
  return { stat: statOf(resolveTreePath(root, path, false), path.replace(/^.*\//, '')) };
}

function statOf(path: ReturnType<typeof joinBytes>, name: string) {
  const stat = lstatSync(toBytes(path), { bigint: true, throwIfNoEntry: false });
  if (!stat) throw notFound(`stat ${name}: no such file or directory`);
  return {
    path: name,
    mode: goModeOf(fileModeOfStat(Number(stat.mode))),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    size: stat.size,
    modTime: stat.mtimeNs,
    linkname: stat.isSymbolicLink() ? readlinkSync(toBytes(path)) : '',
  };
}
