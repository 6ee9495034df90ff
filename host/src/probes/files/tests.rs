use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::*;

const WITHIN: Duration = Duration::from_secs(20);

/// A folder, and a probe with what may be read below it.
struct Place {
    folder: TempDir,
    probe: FileProbe,
    grant: FileGrant,
}

impl Place {
    fn new(granted: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_str().unwrap().to_owned();
        let grant = FileGrant(granted.iter().map(|path| format!("{root}{path}").parse().unwrap()).collect());
        Self { folder, probe: FileProbe::default(), grant }
    }

    fn path(&self, name: &str) -> String {
        format!("{}{name}", self.folder.path().display())
    }

    fn write(&self, name: &str, content: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(Path::new(&path).parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    fn link(&self, name: &str, target: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(Path::new(&path).parent().unwrap()).unwrap();
        symlink(target, path).unwrap();
    }

    async fn read(&self, name: &str) -> Result<String, FileError> {
        let bytes = self.probe.read(&self.grant, &self.path(name), 100, WITHIN).await?;
        Ok(String::from_utf8(bytes).unwrap())
    }
}

#[tokio::test]
async fn what_is_granted_is_read_and_nothing_else() {
    let place = Place::new(&["/open/**", "/one"]);
    place.write("/open/a/b", "content");
    place.write("/one", "1");
    place.write("/closed", "secret");
    assert_eq!(place.read("/open/a/b").await.as_deref(), Ok("content"));
    assert_eq!(place.read("/open//a/./b").await.as_deref(), Ok("content"));
    assert_eq!(place.read("/one").await.as_deref(), Ok("1"));
    let denied = place.read("/closed").await.unwrap_err();
    assert!(
        matches!(&denied, FileError::Denied(text) if text.contains("/closed\" goes into its `allow: { files: [] }`")),
        "{denied}"
    );
    for name in ["/open/../closed", "/open/a/../../closed", "/..", "/one/../closed", "", "/open/\0"] {
        assert!(matches!(place.read(name).await, Err(FileError::Denied(_))), "{name}");
    }
    let relative = place.probe.read(&place.grant, "open/a/b", 9, WITHIN).await;
    assert!(matches!(relative, Err(FileError::Denied(text)) if text.contains("does not begin with `/`")));
    let missing = place.read("/open/missing").await.unwrap_err();
    assert!(matches!(missing, FileError::NotFound(_)));
    assert!(matches!(place.read("/one/x").await, Err(FileError::Denied(_))));
}

#[tokio::test]
async fn links_behind_a_star_stay_within_the_grants() {
    let place = Place::new(&["/open/**", "/also/*"]);
    place.write("/open/a", "a");
    place.write("/also/b", "b");
    place.write("/closed/c", "secret");
    place.link("/open/near", "a");
    place.link("/open/deep/far", "../../also/b");
    place.link("/open/out", "../closed/c");
    place.link("/open/folder", &place.path("/closed"));
    place.link("/open/round", "round");
    place.link("/open/twice", "near");
    place.link("/open/dotted", "deep/../../closed/../also/b");
    assert_eq!(place.read("/open/near").await.as_deref(), Ok("a"));
    assert_eq!(place.read("/open/twice").await.as_deref(), Ok("a"));
    assert_eq!(place.read("/open/deep/far").await.as_deref(), Ok("b"));
    assert_eq!(place.read("/open/dotted").await.as_deref(), Ok("b"));
    for name in ["/open/out", "/open/folder/c", "/open/folder"] {
        let denied = place.read(name).await.unwrap_err();
        let is_told = denied.to_string().contains("over a link to") && denied.to_string().contains("/closed");
        assert!(matches!(denied, FileError::Denied(_)) && is_told, "{denied}");
    }
    assert!(
        matches!(place.read("/open/round").await, Err(FileError::Other(text)) if text.contains("symbolic"))
    );
}

#[tokio::test]
async fn what_is_named_in_a_grant_may_be_behind_a_link() {
    let place = Place::new(&["/release", "/data/lists/**", "/etc/*.conf"]);
    place.write("/usr/release", "12");
    place.write("/disk/lists/a", "a");
    place.write("/disk/other", "secret");
    place.write("/usr/x.conf", "secret");
    place.link("/release", "usr/release");
    place.link("/data", "disk");
    place.link("/disk/lists/b", "a");
    place.link("/disk/lists/out", "../other");
    place.link("/etc/x.conf", "../usr/x.conf");
    assert_eq!(place.read("/release").await.as_deref(), Ok("12"));
    assert_eq!(place.read("/data/lists/a").await.as_deref(), Ok("a"));
    assert_eq!(place.read("/data/lists/b").await.as_deref(), Ok("a"));
    assert!(matches!(place.read("/data/lists/out").await, Err(FileError::Denied(_))));
    assert!(matches!(place.read("/etc/x.conf").await, Err(FileError::Denied(_))));
}

#[tokio::test]
async fn the_kernels_own_links_lead_nowhere_else() {
    let probe = FileProbe::default();
    let grant = FileGrant(vec!["/proc/**".parse().unwrap()]);
    for path in [
        "/proc/self/root/etc/passwd",
        "/proc/self/cwd/Cargo.toml",
        "/proc/self/exe",
        "/proc/1/root/etc/passwd",
    ] {
        let refused = probe.read(&grant, path, 10, WITHIN).await.unwrap_err();
        assert!(matches!(refused, FileError::Denied(_) | FileError::Forbidden(_)), "{path}: {refused}");
    }
    let own = probe.read(&grant, "/proc/self/status", 10, WITHIN).await.unwrap();
    assert_eq!(own, b"Name:\tpiho"[..]);
    let names = probe.entries(&grant, "/proc/self/net", WITHIN).await.unwrap();
    assert!(names.contains(&"tcp".to_owned()));
}

#[tokio::test]
async fn only_regular_files_are_opened() {
    let place = Place::new(&["/**"]);
    let pipe = place.path("/pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let _socket = std::os::unix::net::UnixListener::bind(place.path("/socket")).unwrap();
    place.write("/folder/x", "x");
    for (name, what) in [("/pipe", "a pipe"), ("/socket", "a socket"), ("/folder", "a folder")] {
        let wrong = place.read(name).await.unwrap_err();
        assert!(matches!(&wrong, FileError::WrongKind(text) if text.contains(what)), "{wrong}");
        assert!(place.probe.open(&place.grant, &place.path(name), WITHIN).await.is_err());
    }
    let devices = FileGrant(vec!["/dev/**".parse().unwrap()]);
    let device = place.probe.read(&devices, "/dev/zero", 10, WITHIN).await;
    assert!(matches!(device, Err(FileError::WrongKind(text)) if text == "/dev/zero is a device and no file"));
    let kind =
        async |name: &str| place.probe.stat(&place.grant, &place.path(name), WITHIN).await.unwrap().kind;
    assert_eq!(kind("/pipe").await, FileKind::Other);
    assert_eq!(kind("/folder").await, FileKind::Folder);
    let info = place.probe.stat(&place.grant, &place.path("/folder/x"), WITHIN).await.unwrap();
    assert!(info.kind == FileKind::File && info.size == 1 && info.modified_ms > 1_600_000_000_000);
}

#[tokio::test]
async fn folders_tell_their_names_in_order() {
    let place = Place::new(&["/**"]);
    for name in ["/b", "/a", "/.c", "/d/e"] {
        place.write(name, "");
    }
    let names = place.probe.entries(&place.grant, &place.path(""), WITHIN).await.unwrap();
    assert_eq!(names, [".c", "a", "b", "d"]);
    let wrong = place.probe.entries(&place.grant, &place.path("/a"), WITHIN).await;
    assert!(matches!(wrong, Err(FileError::WrongKind(text)) if text.ends_with("/a is no folder")));
}

#[tokio::test]
async fn a_file_is_read_bit_by_bit_to_its_end() {
    let place = Place::new(&["/**"]);
    place.write("/x", "12345");
    let mut reader = place.probe.open(&place.grant, &place.path("/x"), WITHIN).await.unwrap();
    let mut parts = Vec::new();
    loop {
        let part = place.probe.read_on(&mut reader, 2, WITHIN).await.unwrap();
        if part.is_empty() {
            break;
        }
        parts.push(part);
    }
    assert_eq!(parts, [&b"12"[..], b"34", b"5"]);
    assert!(place.probe.read_on(&mut reader, 0, WITHIN).await.unwrap().is_empty());
    assert_eq!(place.read("/x").await.as_deref(), Ok("12345"));
}

/// Whether the tests run as a user that may read everything.
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[tokio::test]
async fn what_the_machine_forbids_comes_with_a_remedy() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new(&["/**"]);
    place.write("/x", "");
    std::fs::set_permissions(place.path("/x"), std::fs::Permissions::from_mode(0o000)).unwrap();
    if is_root() {
        assert!(place.read("/x").await.is_ok(), "root reads everything");
    } else {
        let forbidden = place.read("/x").await.unwrap_err();
        assert!(matches!(&forbidden, FileError::Forbidden(text) if text.contains("setfacl")), "{forbidden}");
    }
}
