/**
 * One mount(2) call as a value. Snapshots produce mounts and runtimes consume them without knowing each other
 * (containerd, core/mount/mount.go).
 */
export interface Mount {
  /** The file system type, or `bind` for a bind mount. */
  readonly type: 'overlay' | 'bind' | 'tmpfs' | 'proc' | 'sysfs' | 'mqueue' | 'devpts' | 'cgroup2';
  /** A device, a directory for `bind`, or a name that shows up in the mount table. */
  readonly source: string;
  /** As in fstab: flags such as `ro`, `nosuid`, `rbind`, and `key=value` data such as `lowerdir=…`. */
  readonly options: readonly string[];
}
