//! Files at the wall.

use std::sync::Arc;

use wasmtime::component::Resource;

use super::super::bindings::check::pihook::plugin as wit;
use super::super::run::RunState;
use super::aside;
use crate::probes::files as probe;

/// The most files that a run may have open at once.
const MOST_OPEN: usize = 4;

/// A guest's open file.
#[allow(unreachable_pub, reason = "the bindings re-export it")]
pub struct OpenFile {
    /// None while a call has it.
    reader: Option<probe::Reader>,
    /// One of the run's few.
    _place: Arc<()>,
}

impl wit::files::Host for RunState {
    async fn stat(&mut self, path: String) -> Result<wit::files::Info, wit::files::Error> {
        let outside = self.outside().map_err(wit::files::Error::Denied)?;
        let within = self.read_timeout;
        let seen = async move { outside.probes.files.stat(&outside.grants.files, &path, within).await };
        answer(aside(seen).await).map(info_to_guest)
    }

    async fn entries(&mut self, folder: String) -> Result<Vec<String>, wit::files::Error> {
        let outside = self.outside().map_err(wit::files::Error::Denied)?;
        let within = self.read_timeout;
        let seen = async move { outside.probes.files.entries(&outside.grants.files, &folder, within).await };
        answer(aside(seen).await)
    }

    async fn read(&mut self, path: String, max_bytes: u32) -> Result<Vec<u8>, wit::files::Error> {
        let outside = self.outside().map_err(wit::files::Error::Denied)?;
        let within = self.read_timeout;
        let seen =
            async move { outside.probes.files.read(&outside.grants.files, &path, max_bytes, within).await };
        answer(aside(seen).await)
    }
}

impl wit::files::HostReader for RunState {
    async fn open(&mut self, path: String) -> Result<Resource<OpenFile>, wit::files::Error> {
        let outside = self.outside().map_err(wit::files::Error::Denied)?;
        if Arc::strong_count(&self.open_files) > MOST_OPEN {
            let text = format!("{MOST_OPEN} files are open already, and no more may be at once");
            return Err(wit::files::Error::Other(text));
        }
        let within = self.read_timeout;
        let opened = async move { outside.probes.files.open(&outside.grants.files, &path, within).await };
        let file = OpenFile { reader: Some(answer(aside(opened).await)?), _place: self.open_files.clone() };
        self.table.push(file).map_err(|error| wit::files::Error::Other(error.to_string()))
    }

    async fn read(&mut self, file: Resource<OpenFile>, max_bytes: u32) -> Result<Vec<u8>, wit::files::Error> {
        let outside = self.outside().map_err(wit::files::Error::Denied)?;
        let gone = || wit::files::Error::Other("this file is not open any more".to_owned());
        let taken = self.table.get_mut(&file).ok().and_then(|file| file.reader.take());
        let mut reader = taken.ok_or_else(gone)?;
        let within = self.read_timeout;
        let read = aside(async move {
            let bytes = outside.probes.files.read_on(&mut reader, max_bytes, within).await;
            (reader, bytes)
        });
        let (reader, bytes) = read.await.map_err(wit::files::Error::Other)?;
        if let Ok(file) = self.table.get_mut(&file) {
            file.reader = Some(reader);
        }
        bytes.map_err(error_to_guest)
    }

    fn drop(&mut self, file: Resource<OpenFile>) -> wasmtime::Result<()> {
        self.table.delete(file)?;
        Ok(())
    }
}

fn answer<T>(seen: Result<Result<T, probe::FileError>, String>) -> Result<T, wit::files::Error> {
    seen.map_err(wit::files::Error::Other)?.map_err(error_to_guest)
}

fn info_to_guest(info: probe::FileInfo) -> wit::files::Info {
    let kind = match info.kind {
        probe::FileKind::File => wit::files::Kind::File,
        probe::FileKind::Folder => wit::files::Kind::Folder,
        probe::FileKind::Other => wit::files::Kind::Other,
    };
    wit::files::Info { kind, size: info.size, modified_ms: info.modified_ms }
}

fn error_to_guest(error: probe::FileError) -> wit::files::Error {
    use probe::FileError as Probe;
    use wit::files::Error as Guest;
    match error {
        Probe::Denied(text) => Guest::Denied(text),
        Probe::NotFound(text) => Guest::NotFound(text),
        Probe::Forbidden(text) => Guest::Forbidden(text),
        Probe::WrongKind(text) => Guest::WrongKind(text),
        Probe::Timeout(text) => Guest::Timeout(text),
        Probe::Unreadable(text) => Guest::Unreadable(text),
        Probe::Other(text) => Guest::Other(text),
    }
}
