//! Filesystems that turned read-only, as ext4 and others do when their disk fails.

use pihook_plugin::filesystems::Mount;

use crate::memory::Memory;
use crate::settings::Settings;

/// Kinds that are written to as a rule.
const KINDS: [&str; 9] = ["ext2", "ext3", "ext4", "btrfs", "xfs", "f2fs", "vfat", "exfat", "jfs"];

/// How many were looked at, and each that is read-only and should not be.
pub fn judge(
    settings: &Settings,
    mounts: &[Mount],
    fstab: Option<&str>,
    memory: &mut Memory,
) -> (usize, Vec<String>) {
    let fstab = fstab.map(parse_fstab).unwrap_or_default();
    // Of several mounts at one place the last one is seen.
    let mut looked_at: Vec<(String, &Mount)> = Vec::new();
    for mount in mounts {
        if KINDS.contains(&mount.kind.as_str())
            && mount.source.starts_with("/dev/")
            && let Some(point) = below_root(settings, &mount.mount_point)
        {
            looked_at.retain(|(known, _)| *known != point);
            looked_at.push((point, mount));
        }
    }
    let mut faults = Vec::new();
    for (point, mount) in &looked_at {
        if !mount.read_only {
            memory.note_writable(point);
        } else if !settings.read_only.iter().any(|meant| meant.0 == *point) {
            let why = match fstab.iter().rfind(|(known, _)| known == point).map(|(_, access)| access) {
                Some(Access::ReadOnly) => None,
                Some(Access::ReadWrite) => Some("though /etc/fstab has it read-write"),
                None if memory.was_writable(point) => Some("and was not before"),
                None => None,
            };
            faults.extend(why.map(|why| format!("{point} ({}) is read-only {why}", mount.source)));
        }
    }
    (looked_at.len(), faults)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    ReadOnly,
    ReadWrite,
}

/// Mount points, and how they are meant to be.
fn parse_fstab(text: &str) -> Vec<(String, Access)> {
    let entry = |line: &str| {
        let mut fields = line.split_whitespace().take_while(|field| !field.starts_with('#'));
        let point = fields.nth(1)?.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\");
        let options = fields.nth(1).unwrap_or("defaults");
        let access = match options.split(',').rfind(|option| matches!(*option, "ro" | "rw")) {
            Some("ro") => Access::ReadOnly,
            _ => Access::ReadWrite,
        };
        let tidy = point.trim_end_matches('/');
        Some((if tidy.is_empty() { "/".to_owned() } else { tidy.to_owned() }, access))
    };
    text.lines().filter_map(entry).collect()
}

/// Where the machine itself has it, if it does.
fn below_root(settings: &Settings, point: &str) -> Option<String> {
    let root = settings.path("");
    let rest = point.strip_prefix(&root).filter(|rest| rest.is_empty() || rest.starts_with('/'))?;
    Some(if rest.is_empty() { "/".to_owned() } else { rest.to_owned() })
}

#[cfg(test)]
mod tests {
    use pihook_plugin::settings::read;
    use proptest::prelude::*;

    use super::*;

    const FSTAB: &str = "\
# /etc/fstab
proc            /proc           proc    defaults          0       0
PARTUUID=1-01  /boot/firmware  vfat    defaults          0       2
PARTUUID=1-02  /               ext4    defaults,noatime  0       1
/dev/sda1\t/mnt/my\\040disk/ ext4 rw,nofail
/dev/sdb1 /mnt/archive xfs defaults,ro # kept
nonsense
";

    fn mount(point: &str, kind: &str, read_only: bool) -> Mount {
        Mount { mount_point: point.into(), source: "/dev/sda1".into(), kind: kind.into(), read_only }
    }

    fn faults(settings: &str, mounts: &[Mount], memory: &mut Memory) -> Vec<String> {
        judge(&read(settings).unwrap(), mounts, Some(FSTAB), memory).1
    }

    #[test]
    fn what_should_be_writable_and_is_not_is_told() {
        let mut memory = Memory::default();
        let mounts = [
            mount("/", "ext4", true),
            mount("/boot/firmware", "vfat", false),
            mount("/mnt/my disk", "ext4", true),
            mount("/mnt/archive", "xfs", true),
            mount("/mnt/other", "btrfs", true),
            mount("/snap/x", "squashfs", true),
            mount("/proc", "proc", true),
        ];
        let expected = [
            "/ (/dev/sda1) is read-only though /etc/fstab has it read-write",
            "/mnt/my disk (/dev/sda1) is read-only though /etc/fstab has it read-write",
        ];
        assert_eq!(faults("{}", &mounts, &mut memory), expected);
        assert_eq!(faults(r#"{"read_only": ["/", "/mnt/my disk/"]}"#, &mounts, &mut memory), [""; 0]);
    }

    #[test]
    fn what_is_not_in_fstab_is_compared_with_what_was() {
        let mut memory = Memory::default();
        assert_eq!(faults("{}", &[mount("/mnt/usb", "exfat", false)], &mut memory), [""; 0]);
        let told = faults("{}", &[mount("/mnt/usb", "exfat", true)], &mut memory);
        assert_eq!(told, ["/mnt/usb (/dev/sda1) is read-only and was not before"]);
    }

    #[test]
    fn in_a_container_the_machines_own_mounts_count() {
        let mut memory = Memory::default();
        let mounts = [
            mount("/", "ext4", true),
            mount("/host", "ext4", false),
            mount("/host/boot/firmware", "vfat", true),
        ];
        let told = faults(r#"{"root": "/host"}"#, &mounts, &mut memory);
        assert_eq!(told, ["/boot/firmware (/dev/sda1) is read-only though /etc/fstab has it read-write"]);
    }

    proptest! {
        #[test]
        fn any_fstab_is_read(text in any::<String>(), like in "([/a-z\\\\0-9# \t,]{0,20}\n){0,9}") {
            let _ = (parse_fstab(&text), parse_fstab(&like));
        }
    }
}
