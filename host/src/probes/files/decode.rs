//! What a file that is read bit by bit holds, whichever way it is packed.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use lzma_rust2::XzReader;
use ruzstd::decoding::StreamingDecoder as ZstdDecoder;

use super::FileError;

/// A file's content as it comes, unpacked.
pub(super) type Content = Box<dyn Read + Send>;

/// How much of a file is read at once.
const CHUNK: usize = 64 << 10;

/// The most memory that unpacking may take. What `xz -6`, as Debian packs its lists, takes is 9 MiB; `zstd -19` 8 MiB.
const MOST_MEMORY: u32 = 16 << 20;

/// How a file begins that is packed.
const MAGIC: [(&[u8], Packed); 5] = [
    (&[0x1f, 0x8b], Packed::Gzip),
    (&[0xfd, b'7', b'z', b'X', b'Z', 0], Packed::Xz),
    (&[0x04, 0x22, 0x4d, 0x18], Packed::Lz4),
    (&[0x28, 0xb5, 0x2f, 0xfd], Packed::Zstd),
    (b"BZh", Packed::Bzip2),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packed {
    Gzip,
    Xz,
    Lz4,
    Zstd,
    /// Not unpacked: nothing makes it any more.
    Bzip2,
}

/// The content of an open file. Blocks, and may hang.
///
/// # Errors
/// If it cannot be read, or is packed in a way that is not known.
pub(super) fn content(file: File, path: &str) -> Result<Content, FileError> {
    let mut file = BufReader::with_capacity(CHUNK, file);
    let begin = file.fill_buf().map_err(|error| FileError::broken(path, &error))?;
    let packed = MAGIC.iter().find(|(magic, _)| begin.starts_with(magic)).map(|(_, packed)| *packed);
    Ok(match packed {
        None => Box::new(file),
        Some(Packed::Gzip) => Box::new(MultiGzDecoder::new(file)),
        Some(Packed::Xz) => Box::new(XzReader::new_mem_limit(file, true, MOST_MEMORY >> 10)),
        Some(Packed::Lz4) => Box::new(Lz4(lz4_flex::frame::FrameDecoder::new(file))),
        Some(Packed::Zstd) => Box::new(Zstd::new(file)),
        Some(Packed::Bzip2) => {
            return Err(FileError::Unreadable(format!(
                "{path} is packed by bzip2, which PiHook does not unpack; it knows gzip, xz, lz4 and zstd"
            )));
        }
    })
}

/// Frames of lz4, one after the other.
struct Lz4<R: BufRead>(lz4_flex::frame::FrameDecoder<R>);

impl<R: BufRead> Read for Lz4<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.0.read(buffer)?;
            if count > 0 || buffer.is_empty() || self.0.get_mut().fill_buf()?.is_empty() {
                return Ok(count);
            }
        }
    }
}

/// Frames of zstd, one after the other.
struct Zstd<R: BufRead> {
    state: ZstdState<R>,
}

enum ZstdState<R: BufRead> {
    Between(R),
    Within(Box<ZstdDecoder<R, ruzstd::decoding::FrameDecoder>>),
    Broken,
}

impl<R: BufRead> Zstd<R> {
    fn new(file: R) -> Self {
        Self { state: ZstdState::Between(file) }
    }
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            self.state = match std::mem::replace(&mut self.state, ZstdState::Broken) {
                ZstdState::Between(mut file) => {
                    if file.fill_buf()?.is_empty() {
                        self.state = ZstdState::Between(file);
                        return Ok(0);
                    }
                    let decoder = ZstdDecoder::new_with_max_window_size(file, MOST_MEMORY.into());
                    ZstdState::Within(Box::new(decoder.map_err(io::Error::other)?))
                }
                ZstdState::Within(mut decoder) => match decoder.read(buffer)? {
                    0 if !buffer.is_empty() => ZstdState::Between(decoder.into_inner()),
                    count => {
                        self.state = ZstdState::Within(decoder);
                        return Ok(count);
                    }
                },
                ZstdState::Broken => return Err(io::Error::other("an earlier part was broken")),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::{Command, Stdio};

    use proptest::prelude::*;

    use super::*;

    fn unpacked(bytes: &[u8]) -> Result<Vec<u8>, String> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        io::Seek::rewind(&mut file).unwrap();
        let mut text = Vec::new();
        let mut content = content(file, "/x").map_err(|error| error.to_string())?;
        content.read_to_end(&mut text).map_err(|error| error.to_string())?;
        Ok(text)
    }

    /// What the program makes of it; none if it is not there.
    fn packed(program: &[&str], text: &[u8]) -> Option<Vec<u8>> {
        let (name, arguments) = program.split_first()?;
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text).unwrap();
        io::Seek::rewind(&mut file).unwrap();
        let output = Command::new(name).args(arguments).stdin(file).stderr(Stdio::inherit()).output();
        match output {
            Ok(output) => Some(output.stdout),
            Err(_) => {
                eprintln!("{name} is not here: what it packs is not tried");
                None
            }
        }
    }

    const PROGRAMS: [&[&str]; 7] = [
        &["gzip", "-c"],
        &["xz", "-c"],
        &["xz", "-6", "--check=crc32", "-c"],
        &["lz4", "-c"],
        &["lz4", "-9", "-BD", "-c"],
        &["zstd", "-c"],
        &["zstd", "-19", "-c"],
    ];

    #[test]
    fn what_the_usual_programs_pack_is_unpacked_and_what_is_cut_off_is_noticed() {
        let text: Vec<u8> =
            (0..200_000_u32).flat_map(|n| format!("{} line\n", n * 7 % 1013).into_bytes()).collect();
        assert_eq!(unpacked(&text).unwrap(), text);
        assert_eq!(unpacked(b"").unwrap(), b"");
        for program in PROGRAMS {
            let Some(bytes) = packed(program, &text) else { continue };
            assert!(unpacked(&bytes).is_ok_and(|found| found == text), "{program:?}");
            let twice = [bytes.as_slice(), &bytes].concat();
            assert!(
                unpacked(&twice).is_ok_and(|found| found == [text.as_slice(), &text].concat()),
                "{program:?}"
            );
            for cut in [6, bytes.len() / 2, bytes.len() - 1] {
                assert!(unpacked(&bytes[..cut]).is_err(), "{program:?} cut to {cut}");
            }
        }
    }

    #[test]
    fn what_wants_too_much_memory_or_is_not_known_is_refused() {
        assert!(unpacked(b"BZh91AY&SY").unwrap_err().contains("packed by bzip2"));
        for program in [&["xz", "-9", "-c"][..], &["zstd", "--ultra", "-22", "--long=27", "-c"]] {
            // zstd takes no larger window than the text is long, so it is told nothing of the length.
            let Some(bytes) = packed(program, &vec![b'x'; 40 << 20]) else { continue };
            assert!(unpacked(&bytes).is_err(), "{program:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(magic in 0..MAGIC.len(), rest in any::<Vec<u8>>()) {
            let _ = unpacked(&[MAGIC[magic].0, &rest].concat());
        }
    }
}
