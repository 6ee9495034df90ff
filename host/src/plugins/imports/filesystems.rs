//! Filesystems at the wall.

use super::super::bindings::check::pihook::plugin as wit;
use super::super::run::RunState;
use super::aside;
use crate::machine::Machine;
use crate::probes::filesystems as probe;

impl wit::filesystems::Host for RunState {
    async fn measure(&mut self, path: String) -> Result<wit::filesystems::Usage, wit::filesystems::Error> {
        // The interface has no word of its own for what is not granted.
        let outside = self.machine(Machine::Filesystems).map_err(wit::filesystems::Error::Other)?;
        let within = self.read_timeout;
        let seen = async move { outside.probes.filesystems().measure(&path, within).await };
        aside(seen).await.map_err(wit::filesystems::Error::Other)?.map(usage_to_guest).map_err(error_to_guest)
    }

    async fn mounts(&mut self) -> Result<Vec<wit::filesystems::Mount>, wit::filesystems::Error> {
        let outside = self.machine(Machine::Filesystems).map_err(wit::filesystems::Error::Other)?;
        let mounts = outside.probes.filesystems().mounts().map_err(error_to_guest)?;
        Ok(mounts.into_iter().map(mount_to_guest).collect())
    }
}

fn mount_to_guest(mount: probe::Mount) -> wit::filesystems::Mount {
    wit::filesystems::Mount {
        mount_point: mount.point,
        source: mount.source,
        kind: mount.kind,
        read_only: mount.read_only,
    }
}

fn usage_to_guest(usage: probe::Usage) -> wit::filesystems::Usage {
    wit::filesystems::Usage {
        on: mount_to_guest(usage.on),
        total_bytes: usage.total_bytes,
        free_bytes: usage.free_bytes,
        available_bytes: usage.available_bytes,
        inodes: usage.inodes,
        free_inodes: usage.free_inodes,
    }
}

fn error_to_guest(error: probe::FilesystemError) -> wit::filesystems::Error {
    use probe::FilesystemError as Probe;
    use wit::filesystems::Error as Guest;
    match error {
        Probe::NotFound(text) => Guest::NotFound(text),
        Probe::Forbidden(text) => Guest::Forbidden(text),
        Probe::Timeout(text) => Guest::Timeout(text),
        Probe::Other(text) => Guest::Other(text),
    }
}
