//! What a repository says of itself: its Release file, signed or not.

use serde::{Deserialize, Serialize};

/// The fields of a Release file that matter here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Release {
    suite: String,
    codename: String,
    label: String,
    version: String,
    not_automatic: String,
    but_automatic_upgrades: String,
    date: String,
    valid_until: String,
}

/// How long what a repository says is to be believed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validity {
    /// The repository's name for what it holds, such as `oldstable-security`.
    pub suite: String,
    /// When it said so, in milliseconds since 1970 UTC.
    pub from_ms: i64,
    /// When that ends, likewise.
    pub until_ms: i64,
}

/// Priorities of apt_preferences(5).
const DEFAULT_RELEASE: i32 = 990;
const USUAL: i32 = 500;
const UPGRADES_ONLY: i32 = 100;
const NEVER_BY_ITSELF: i32 = 1;

impl Release {
    /// Reads the fields. They stand before the digests, which are the most of the file.
    #[must_use]
    pub fn read(text: &[u8]) -> Release {
        let text = String::from_utf8_lossy(text);
        let mut release = Release::default();
        for line in text.lines() {
            let Some((name, value)) = line.split_once(':') else { continue };
            let field = match name {
                "Suite" => &mut release.suite,
                "Codename" => &mut release.codename,
                "Label" => &mut release.label,
                "Version" => &mut release.version,
                "NotAutomatic" => &mut release.not_automatic,
                "ButAutomaticUpgrades" => &mut release.but_automatic_upgrades,
                "Date" => &mut release.date,
                "Valid-Until" => &mut release.valid_until,
                "MD5Sum" | "SHA1" | "SHA256" | "SHA512" => break,
                _ => continue,
            };
            value.trim().clone_into(field);
        }
        release
    }

    /// Whether it holds security fixes: its suite ends in `-security`, as apt itself decides, also when it has become
    /// `oldstable-security`; or its label is Debian's.
    #[must_use]
    pub fn is_security(&self) -> bool {
        self.suite.ends_with("-security") || self.label == "Debian-Security"
    }

    /// How long it is to be believed, if it says so.
    #[must_use]
    pub fn validity(&self) -> Option<Validity> {
        let suite = [&self.suite, &self.codename].into_iter().find(|name| !name.is_empty())?.clone();
        let (from_ms, until_ms) = (parse_time(&self.date)?, parse_time(&self.valid_until)?);
        Some(Validity { suite, from_ms, until_ms })
    }

    /// How much its versions are wanted, without pins.
    #[must_use]
    pub fn priority(&self, default_release: Option<&str>) -> i32 {
        let named = |name: &str| {
            !name.is_empty()
                && [&self.suite, &self.codename, &self.version].into_iter().any(|own| own == name)
        };
        match (self.not_automatic.as_str(), self.but_automatic_upgrades.as_str()) {
            _ if default_release.is_some_and(named) => DEFAULT_RELEASE,
            ("yes", "yes") => UPGRADES_ONLY,
            ("yes", _) => NEVER_BY_ITSELF,
            _ => USUAL,
        }
    }
}

/// A time such as `Sun, 22 Nov 2026 19:58:56 UTC`, in milliseconds since 1970 UTC.
fn parse_time(text: &str) -> Option<i64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let [_, day, month, year, time, "UTC" | "GMT" | "+0000"] = words.as_slice() else { return None };
    let within = |text: &str, range: std::ops::RangeInclusive<i64>| {
        text.parse().ok().filter(|number| range.contains(number))
    };
    let day = within(day, 1..=31)?;
    let month = i64::try_from(MONTHS.iter().position(|name| name == month)?).ok()?;
    let year = within(year, 1970..=9999)?;
    let time: Vec<&str> = time.split(':').collect();
    let [hour, minute, second] = time.as_slice() else { return None };
    let seconds = within(hour, 0..=23)? * 3600 + within(minute, 0..=59)? * 60 + within(second, 0..=60)?;
    // Years that begin in March have their leap day at the end.
    let (year, month) = if month < 2 { (year - 1, month + 10) } else { (year, month - 2) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468;
    Some((days * 86_400 + seconds) * 1000)
}

/// The file that describes the repository of a list of packages: the one whose name, without its end, begins the list's name.
/// The longest, since one repository's name may begin another's.
pub fn describing<'n>(list: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let stem = |name: &'n str| name.strip_suffix("InRelease").or_else(|| name.strip_suffix("Release"));
    names
        .into_iter()
        .filter_map(|name| Some((name, stem(name)?)))
        .filter(|(_, stem)| !stem.is_empty() && list.starts_with(stem))
        .max_by_key(|(name, stem)| (stem.len(), name.len()))
        .map(|(name, _)| name)
}

/// The value of `APT::Default-Release`, if the configuration sets it in one of the usual ways.
#[must_use]
pub fn default_release(configuration: &str) -> Option<String> {
    let lines =
        configuration.lines().map(str::trim).filter(|line| !line.starts_with("//") && !line.starts_with('#'));
    let text: String = lines.collect::<Vec<_>>().join(" ");
    let lower = text.to_ascii_lowercase();
    let at = lower.rfind("default-release")? + "default-release".len();
    let value = text.get(at..)?.trim_start().strip_prefix('"')?.split('"').next()?;
    (!value.is_empty()).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(fields: &str) -> Release {
        Release::read(fields.as_bytes())
    }

    #[test]
    fn a_signed_release_is_read_up_to_its_digests() {
        let text = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nOrigin: Debian\nLabel: Debian\nSuite: stable\n\
            Codename: bookworm\nVersion: 12.5\nSHA256:\n 00 1 x\nSuite: forged\n";
        let release = release(text);
        assert_eq!((release.suite.as_str(), release.codename.as_str()), ("stable", "bookworm"));
        assert!(!release.is_security());
        for (name, priority) in [("bookworm", 990), ("stable", 990), ("12.5", 990), ("sid", 500), ("", 500)] {
            assert_eq!(release.priority(Some(name)), priority, "{name}");
        }
    }

    #[test]
    fn security_is_told_by_suite_or_label() {
        assert!(release("Suite: oldstable-security\n").is_security());
        assert!(release("Suite: jammy-security\n").is_security());
        assert!(release("Label: Debian-Security\nSuite: stable\n").is_security());
        assert!(!release("Label: Raspbian\nSuite: stable\n").is_security());
    }

    #[test]
    fn backports_upgrade_what_is_there_and_experimental_nothing() {
        assert_eq!(release("NotAutomatic: yes\nButAutomaticUpgrades: yes\n").priority(None), 100);
        assert_eq!(release("NotAutomatic: yes\n").priority(None), 1);
        assert_eq!(release("").priority(None), 500);
    }

    #[test]
    fn times_are_read() {
        for (text, seconds) in [
            ("Thu, 01 Jan 1970 00:00:00 UTC", 0),
            ("Sun, 22 Nov 2026 19:58:56 UTC", 1_795_377_536),
            ("Thu, 29 Feb 2024 23:59:60 +0000", 1_709_251_200),
            ("Tue,  1 Mar 2022 00:00:00 GMT", 1_646_092_800),
            ("Fri, 31 Dec 9999 23:59:59 UTC", 253_402_300_799),
        ] {
            assert_eq!(parse_time(text), Some(seconds * 1000), "{text}");
        }
        for text in [
            "",
            "Sun, 22 Nov 2026 19:58:56",
            "Sun, 22 Nov 2026 19:58:56 CET",
            "Sun, 22 Foo 2026 19:58:56 UTC",
            "Sun, 0 Nov 2026 19:58:56 UTC",
            "Sun, 22 Nov 99999999999 19:58:56 UTC",
            "Sun, 22 Nov 2026 19:58 UTC",
            "Sun, 22 Nov 2026 -1:58:00 UTC",
        ] {
            assert_eq!(parse_time(text), None, "{text}");
        }
    }

    #[test]
    fn a_release_may_say_how_long_it_is_valid() {
        let dates = "Date: Thu, 01 Jan 1970 00:00:01 UTC\nValid-Until: Thu, 08 Jan 1970 00:00:01 UTC\n";
        let validity = Validity { suite: "s".to_owned(), from_ms: 1000, until_ms: 604_801_000 };
        assert_eq!(release(&format!("Suite: s\nCodename: c\n{dates}")).validity(), Some(validity.clone()));
        assert_eq!(release(&format!("Codename: s\n{dates}")).validity(), Some(validity));
        assert_eq!(release("Suite: s\nDate: Thu, 01 Jan 1970 00:00:01 UTC\n").validity(), None);
        assert_eq!(release(dates).validity(), None);
    }

    #[test]
    fn lists_find_their_release() {
        let names = [
            "deb_debian_dists_bookworm_InRelease",
            "deb_debian_dists_bookworm_updates_Release",
            "_repo_._InRelease",
            "InRelease",
            "lock",
        ];
        for (list, expected) in [
            ("deb_debian_dists_bookworm_main_binary-amd64_Packages", Some(names[0])),
            ("deb_debian_dists_bookworm_updates_main_binary-amd64_Packages", Some(names[1])),
            ("deb_debian_dists_bookworm-updates_main_binary-amd64_Packages", None),
            ("_repo_._Packages", Some(names[2])),
            ("else_Packages", None),
        ] {
            assert_eq!(describing(list, names), expected, "{list}");
        }
    }

    #[test]
    fn the_default_release_is_found() {
        for (text, expected) in [
            ("APT::Default-Release \"bookworm\";", Some("bookworm")),
            ("APT { Default-Release \"stable\"; };", Some("stable")),
            ("apt::default-release \"a\";\nAPT::Default-Release \"b\";", Some("b")),
            ("// APT::Default-Release \"bookworm\";", None),
            ("APT::Default-Release \"\";", None),
            ("APT::Default-Release", None),
            ("ÄÖÜ APT::Default-Release \"é\";", Some("é")),
        ] {
            assert_eq!(default_release(text).as_deref(), expected, "{text}");
        }
    }
}
