//! The mount table, as `/proc/self/mountinfo` has it. Reading that asks the kernel alone and no disk, so it never hangs.

use std::io;
use std::path::Path;

use crate::files::read_limited;

/// Where the kernel tells it.
const TABLE: &str = "/proc/self/mountinfo";

/// More of the table is not looked at, in bytes: some tens of thousands of mounts.
const MOST_BYTES: usize = 8 << 20;

/// One line of the mount table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// The kernel's number for it.
    pub id: u64,
    /// Where it is mounted.
    pub point: String,
    /// What is mounted, such as `/dev/sda1` or `nas:/export`.
    pub source: String,
    /// Such as `ext4`.
    pub kind: String,
    /// Whether the filesystem itself can be read only. That a mount of it is read only says nothing about the disk: systemd
    /// makes such mounts for services that are to change nothing, PiHook's own included.
    pub read_only: bool,
}

/// The mount table now.
///
/// # Errors
/// If it cannot be read.
pub(super) fn table() -> io::Result<Vec<Mount>> {
    let bytes = read_limited(Path::new(TABLE), MOST_BYTES)?;
    Ok(parse(&bytes))
}

/// Where the filesystem is mounted that the path is on, as far as its text tells; `/` if the table has nothing for it.
pub(super) fn point_of<'m>(mounts: &'m [Mount], path: &str) -> &'m str {
    on(mounts, path).map_or("/", |mount| mount.point.as_str())
}

/// The mount that the path is on, as far as its text tells: the longest that it begins with, and the last of several.
pub(super) fn on<'m>(mounts: &'m [Mount], path: &str) -> Option<&'m Mount> {
    // `max_by_key` takes the last of several.
    mounts.iter().filter(|mount| is_within(path, &mount.point)).max_by_key(|mount| mount.point.len())
}

/// Whether the path is this folder or below it.
pub(super) fn is_within(path: &str, folder: &str) -> bool {
    let folder = folder.trim_end_matches('/');
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The lines that make sense.
fn parse(table: &[u8]) -> Vec<Mount> {
    table.split(|byte| *byte == b'\n').filter_map(parse_line).collect()
}

/// Such as `36 35 98:0 / /mnt/a\040b rw,noatime shared:1 - ext3 /dev/root rw,errors=continue`.
fn parse_line(line: &[u8]) -> Option<Mount> {
    let mut fields = line.split(|byte| *byte == b' ');
    let id = std::str::from_utf8(fields.next()?).ok()?.parse().ok()?;
    let point = unescaped(fields.nth(3)?);
    // After the mount's own options come any number of tags, and then a dash.
    fields.next()?;
    fields.find(|field| *field == b"-")?;
    let kind = unescaped(fields.next()?);
    let source = unescaped(fields.next()?);
    let read_only = fields.next()?.split(|byte| *byte == b',').any(|option| option == b"ro");
    point.starts_with('/').then_some(Mount { id, point, source, kind, read_only })
}

/// The text with `\040` and the like decoded.
fn unescaped(field: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, tail)) = rest.split_first() {
        let octal = |digits: &[u8]| {
            digits.iter().try_fold(0_u32, |sum, c| Some(sum * 8 + char::from(*c).to_digit(8)?))
        };
        let decoded =
            tail.get(..3).filter(|_| *first == b'\\').and_then(octal).and_then(|c| u8::try_from(c).ok());
        bytes.push(decoded.unwrap_or(*first));
        rest = if decoded.is_some() { &tail[3..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PI: &str = "\
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 179:2 / / ro,noatime shared:1 - ext4 /dev/root rw
40 27 179:1 / /boot/firmware rw,relatime shared:29 - vfat /dev/mmcblk0p1 rw,fmask=0022,errors=remount-ro
41 27 0:45 / /mnt/My\\040Disk rw shared:3 master:4 - ext4 /dev/sda1 ro,errors=remount-ro
42 41 0:46 / /mnt/My\\040Disk rw - tmpfs none rw
43 27 0:47 / /mnt/na\\134s rw - nfs4 nas:/export rw,vers=4.2
nonsense
44 27 0:48
";

    #[test]
    fn a_table_is_read() {
        let mounts = parse(PI.as_bytes());
        let points: Vec<&str> = mounts.iter().map(|mount| mount.point.as_str()).collect();
        let disk = "/mnt/My Disk";
        assert_eq!(points, ["/proc", "/", "/boot/firmware", disk, disk, "/mnt/na\\s"]);
        let read_only: Vec<u64> =
            mounts.iter().filter(|mount| mount.read_only).map(|mount| mount.id).collect();
        assert_eq!(read_only, [41], "the root's own mount is read only, and its filesystem is not");
        assert_eq!((mounts[3].source.as_str(), mounts[3].kind.as_str()), ("/dev/sda1", "ext4"));
    }

    #[test]
    fn a_path_is_on_the_longest_mount_and_the_last_of_several() {
        let mounts = parse(PI.as_bytes());
        for (path, id) in [
            ("/", 27),
            ("/mnt", 27),
            ("/mnt/My Disk", 42),
            ("/mnt/My Disk/x", 42),
            ("/mnt/My Disks", 27),
            ("/proc/mdstat", 22),
            ("/boot/firmware/config.txt", 40),
        ] {
            assert_eq!(on(&mounts, path).map(|mount| mount.id), Some(id), "{path}");
        }
        assert_eq!(point_of(&[], "/x"), "/");
    }

    #[test]
    fn this_machine_has_a_root() {
        assert!(table().unwrap().iter().any(|mount| mount.point == "/"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in any::<Vec<u8>>(), text in "[ 0-9\\\\/a-z:,\n-]{0,200}") {
            let _ = (parse(&bytes), parse(text.as_bytes()));
        }

        #[test]
        fn any_name_survives_its_escaping(name in "/[ -~\t\n]{0,30}") {
            let escaped: String = name.bytes().map(|byte| match byte {
                b' ' | b'\t' | b'\n' | b'\\' => format!("\\{byte:03o}"),
                _ => char::from(byte).to_string(),
            }).collect();
            let line = format!("1 2 0:1 / {escaped} rw - ext4 {escaped} rw");
            let mounts = parse(line.as_bytes());
            prop_assert_eq!(&mounts[0].point, &name);
            prop_assert_eq!(&mounts[0].source, &name);
        }
    }
}
