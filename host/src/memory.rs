//! Gives memory back that start-up has used and running does not need.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use tracing::debug;

/// How long after its start the daemon gives memory back for the first time: what happens once has happened by then.
pub const FIRST: Duration = Duration::from_secs(5);
/// How often it does so again, for what rarer work such as a reload or a checkpoint of the database has touched.
pub const PERIOD: Duration = Duration::from_secs(60);

/// Part of the program's file as it is mapped into memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mapping {
    start: usize,
    len: usize,
}

/// Lets go of the pages of the program's own code and constants. Those that are used come back from the page cache at
/// their next use, some dozens of them for a microsecond each; the others, half of what start-up had touched and the kernel
/// had mapped around it, stay away.
pub fn release_code() {
    let Ok(maps) = fs::read_to_string("/proc/self/maps") else { return };
    let Ok(program) = fs::metadata("/proc/self/exe") else { return };
    for mapping in unwritten(&maps, program.ino()) {
        release(mapping);
    }
}

/// Where the program's file is mapped and cannot have been written to. Its code is such a part, and so is the part at its
/// beginning: constants, and tables for the loader. What lies behind the code is written to by the loader, even where it
/// is read-only afterwards, and would be lost.
fn unwritten(maps: &str, inode: u64) -> impl Iterator<Item = Mapping> {
    maps.lines().filter_map(move |line| {
        let mut words = line.split_whitespace();
        let (range, rights, offset) = (words.next()?, words.next()?, words.next()?);
        let (_device, found) = (words.next()?, words.next()?);
        let constants = rights == "r--p" && offset.bytes().all(|digit| digit == b'0');
        if found.parse() != Ok(inode) || !(rights == "r-xp" || constants) {
            return None;
        }
        let (start, end) = range.split_once('-')?;
        let start = usize::from_str_radix(start, 16).ok()?;
        let len = usize::from_str_radix(end, 16).ok()?.checked_sub(start)?;
        Some(Mapping { start, len })
    })
}

#[expect(unsafe_code, reason = "the kernel is told about memory by its address")]
fn release(Mapping { start, len }: Mapping) {
    let address = std::ptr::without_provenance_mut::<std::ffi::c_void>(start);
    // SAFETY: the range is a private mapping of the program's file that was never written to, so each page that is let go
    // comes back with the same content.
    let released = unsafe { rustix::mm::madvise(address, len, rustix::mm::Advice::LinuxDontNeed) };
    if let Err(error) = released {
        debug!("memory cannot be given back: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_and_constants_of_the_program_itself_are_let_go() {
        let maps = "\
5583a0000000-5583a0400000 r--p 00000000 fe:00 4711                       /usr/bin/pihook
5583a0400000-5583a1000000 r-xp 00400000 fe:00 4711                       /usr/bin/pihook
5583a1000000-5583a1100000 r--p 01000000 fe:00 4711                       /usr/bin/pihook
5583a1100000-5583a1110000 rw-p 01100000 fe:00 4711                       /usr/bin/pihook
5583a2000000-5583a2200000 rw-p 00000000 00:00 0                          [heap]
7f0000000000-7f0000200000 r-xp 00000000 fe:00 815                        /var/lib/pihook/cache/a.cwasm
garbage
";
        let found: Vec<_> = unwritten(maps, 4711).collect();
        let [constants, code] = [(0x5583_a000_0000, 0x40_0000), (0x5583_a040_0000, 0xc0_0000)];
        assert_eq!(found, [constants, code].map(|(start, len)| Mapping { start, len }));
    }

    #[test]
    fn the_program_goes_on_without_its_pages() {
        let constant = std::hint::black_box("a constant of the program");
        release_code();
        assert_eq!(constant.len(), 25);
        assert_eq!(std::hint::black_box(constant), "a constant of the program");
    }
}
