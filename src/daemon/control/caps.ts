/** What clients may ask of a build's gateway (moby/buildkit, frontend/gateway/pb/caps.go). One that is missing makes them do without. */
export const frontendCaps: readonly string[] = [
  'solve.base',
  'solve.inlinereturn',
  'resolveimage',
  'resolveimage.resolvemode',
  'readfile',
  'return',
  'returnmap',
  'readdir',
  'statfile',
  'importcaches',
  'proto.refarray',
  'reference.output',
  'frontend.inputs',
  'gateway.solve.metadata',
  'gateway.exec',
  'gateway.exec.extrahosts',
  'gateway.exec.secretenv',
  'gateway.exec.signals',
  'gateway.exec.filesystem',
  'gateway.evaluate',
  'gateway.solve.evaluate',
  'gateway.warnings',
  'source.metaresolver',
];

/** Ops and their options (solver/pb/caps.go); devices and the build op are left out. */
export const llbCaps: readonly string[] = `
source.image source.image.resolvemode source.image.layerlimit source.image.checksum source.local source.local.unique source.local.sessionid
source.local.includepatterns source.local.followpaths source.local.excludepatterns source.local.sharedkeyhint source.local.differ
source.git source.git.keepgitdir source.git.fullurl source.git.httpauth source.git.knownsshhosts source.git.mountsshsock source.git.subdir
source.git.checksum source.git.skipsubmodules source.git.mtime source.git.fetchbycommit source.http source.http.auth source.http.checksum source.http.perm soruce.http.uidgid
source.http.header source.ocilayout exec.meta.base exec.meta.cgroup.parent exec.meta.proxyenv exec.meta.network exec.meta.setsdefaultpath
exec.meta.security exec.meta.ulimit exec.meta.removemountstubs.recursive exec.mount.bind exec.mount.bind.readwrite-nooutput
exec.mount.cache exec.mount.cache.sharing exec.mount.selector exec.mount.tmpfs exec.mount.tmpfs.size exec.mount.secret exec.mount.ssh
exec.secretenv exec.validexitcode file.base file.rm.wildcard file.rm.nofollowsymlink file.copy.includeexcludepatterns
file.copy.alwaysreplaceexistingdestpaths file.copy.modestring file.symlink.create constraints platform platform.osversion meta.ignorecache
meta.description meta.exportcache mergeop diffop annotations remote-cache-gha exporter.image.annotations meta.progressgroup
`
  .trim()
  .split(/\s+/);
