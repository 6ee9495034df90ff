//! What a command writes, bounded while it writes.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

/// How much may be written in vain before the writer is stopped.
const MOST_IN_VAIN: usize = 4 << 20;

/// What was written, up to a limit.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) bytes: Vec<u8>,
    /// Whether there was more.
    pub(super) more: bool,
}

/// One of a command's outputs.
pub(super) struct Output<R> {
    from: Option<R>,
    most: usize,
    in_vain: usize,
    kept: Kept,
}

impl<R: AsyncRead + Unpin> Output<R> {
    /// Keeps at most so many bytes.
    pub(super) fn new(from: Option<R>, most: usize) -> Self {
        Self { from, most, in_vain: 0, kept: Kept::default() }
    }

    /// Whether there may be more to read.
    pub(super) fn is_open(&self) -> bool {
        self.from.is_some()
    }

    /// Whether so much was written in vain that its writer is to be stopped.
    pub(super) fn is_flood(&self) -> bool {
        self.in_vain > MOST_IN_VAIN
    }

    /// Reads what there is next. May be dropped at any time without loss.
    pub(super) async fn read(&mut self) -> io::Result<()> {
        let Some(from) = &mut self.from else { return Ok(()) };
        let mut buffer = [0; 8 << 10];
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            self.from = None;
        }
        let read = buffer.get(..length).unwrap_or_default();
        let wanted = read.len().min(self.most.saturating_sub(self.kept.bytes.len()));
        self.kept.bytes.extend_from_slice(read.get(..wanted).unwrap_or_default());
        let rest = read.len() - wanted;
        self.kept.more |= rest > 0;
        self.in_vain = self.in_vain.saturating_add(rest);
        Ok(())
    }

    /// Reads to the end, or until too much was written in vain.
    pub(super) async fn read_to_end(&mut self) -> io::Result<()> {
        while self.is_open() && !self.is_flood() {
            self.read().await?;
        }
        Ok(())
    }

    pub(super) fn into_kept(self) -> Kept {
        self.kept
    }
}
