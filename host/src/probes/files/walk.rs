//! The way to a file over links, one link at a time, so that each step is charged to the mount that it is on and what it
//! leads to can be compared with the grants.

use rustix::fd::OwnedFd;
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, open, openat2, readlinkat};
use rustix::io::Errno;

use crate::paths::joined;
use crate::probes::mounts::{Mount, is_within, point_of};

/// The most links on a way, as the kernel has it.
const MOST_LINKS: usize = 40;

/// A way that is being gone.
#[derive(Clone, Debug)]
pub(in crate::probes) struct Walk {
    /// Names that are no links, from the root.
    done: Vec<String>,
    /// Names that are left, the next one last.
    todo: Vec<String>,
    /// How many names were asked for.
    asked: usize,
    /// Links followed so far.
    links: usize,
    /// Where the first so many of the names that were asked for lead to, once that is known.
    starts: Vec<(usize, Option<Vec<String>>)>,
}

/// What came of going on.
pub(in crate::probes) enum Went {
    /// The end: what is there, and its names without links.
    Here(OwnedFd, Vec<String>),
    /// A link leads to another mount.
    Elsewhere,
}

impl Walk {
    /// A way to the path with these names. Where the first so many of them lead to will be asked.
    pub(in crate::probes) fn new(names: &[&str], starts: impl IntoIterator<Item = usize>) -> Self {
        Self {
            done: Vec::new(),
            todo: names.iter().rev().map(|name| (*name).to_owned()).collect(),
            asked: names.len(),
            links: 0,
            starts: starts.into_iter().map(|count| (count, None)).collect(),
        }
    }

    /// The path that is left to try.
    pub(in crate::probes) fn ahead(&self) -> String {
        let names: Vec<&String> = self.done.iter().chain(self.todo.iter().rev()).collect();
        joined(&names)
    }

    /// Whether a link was on the way.
    pub(in crate::probes) fn was_led(&self) -> bool {
        self.links > 0
    }

    /// Where the first so many of the names that were asked for lead to; none if that was not to be asked.
    pub(in crate::probes) fn start(&self, count: usize) -> Option<&[String]> {
        self.starts.iter().find(|(known, _)| *known == count).and_then(|(_, names)| names.as_deref())
    }

    /// Goes on to the end, or to where a link leads from this mount to another. Blocks, and may hang.
    ///
    /// # Errors
    /// The kernel's, such as that there is no such file.
    pub(in crate::probes) fn go(&mut self, lane: &str, mounts: &[Mount]) -> Result<Went, Errno> {
        loop {
            let ahead = self.ahead();
            if !is_within(lane, point_of(mounts, &ahead)) {
                return Ok(Went::Elsewhere);
            }
            let flags = OFlags::PATH | OFlags::CLOEXEC;
            match openat2(CWD, &ahead, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS) {
                Ok(found) => {
                    while self.pass() {}
                    return Ok(Went::Here(found, self.done.clone()));
                }
                Err(Errno::LOOP) if !self.todo.is_empty() => self.follow_next(lane, mounts)?,
                // Before Linux 5.6, or where a container's rules do not know the call.
                Err(Errno::NOSYS | Errno::PERM) => {
                    self.follow_next(lane, mounts)?;
                    if self.todo.is_empty() {
                        let path = self.ahead();
                        let found = open(&path, flags | OFlags::NOFOLLOW, Mode::empty())?;
                        return Ok(Went::Here(found, self.done.clone()));
                    }
                }
                Err(errno) => return Err(errno),
            }
        }
    }

    /// Goes on until a link was followed, the end is reached, or another mount begins.
    fn follow_next(&mut self, lane: &str, mounts: &[Mount]) -> Result<(), Errno> {
        while let Some(name) = self.todo.last() {
            if name == ".." {
                self.pass();
                continue;
            }
            let mut here = self.done.clone();
            here.push(name.clone());
            let here = joined(&here);
            if !is_within(lane, point_of(mounts, &here)) {
                return Ok(());
            }
            match readlinkat(CWD, &here, Vec::new()) {
                Ok(target) => return self.follow(&target.to_string_lossy()),
                Err(Errno::INVAL) => drop(self.pass()),
                Err(errno) => return Err(errno),
            }
        }
        Ok(())
    }

    /// Passes over the next name, which is no link. False at the end.
    fn pass(&mut self) -> bool {
        self.note_starts();
        let next = self.todo.pop();
        let more = next.is_some();
        if next.as_deref() == Some("..") {
            // What is done has no links, so going up is what it seems to be.
            self.done.pop();
        } else {
            self.done.extend(next);
        }
        self.note_starts();
        more
    }

    /// Goes where the next name leads, which is a link to this target.
    fn follow(&mut self, target: &str) -> Result<(), Errno> {
        self.note_starts();
        self.links += 1;
        if self.links > MOST_LINKS {
            return Err(Errno::LOOP);
        }
        self.todo.pop();
        if target.starts_with('/') {
            self.done.clear();
        }
        let names = target.split('/').filter(|name| !name.is_empty() && *name != ".");
        self.todo.extend(names.rev().map(str::to_owned));
        self.note_starts();
        Ok(())
    }

    fn note_starts(&mut self) {
        for (count, names) in &mut self.starts {
            if names.is_none() && self.todo.len() + *count <= self.asked {
                *names = Some(self.done.clone());
            }
        }
    }
}
