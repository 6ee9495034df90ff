//! Absolute paths and patterns of them, as grants name them. Pure: nothing here looks at a disk.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

/// The longest path that the kernel takes, in bytes.
const MOST_BYTES: usize = 4095;

/// An absolute path in which `*` stands for anything within one name and `**` for any number of names, none included:
/// `/var/lib/apt/lists/**` is that folder and all below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPattern(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// This name.
    Name(String),
    /// Names that are like this one, which has a `*`.
    Like(String),
    /// Any names.
    Any,
}

/// Why a text is no path, or no pattern of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// It does not begin with `/`.
    #[error("it does not begin with `/`")]
    Relative,
    /// It goes up.
    #[error("`..` could lead anywhere")]
    GoesUp,
    /// The kernel would not take it.
    #[error("no path is longer than {MOST_BYTES} bytes")]
    TooLong,
    /// It holds a NUL or the like.
    #[error("it holds a control character")]
    Unprintable,
    /// `**` with something else in the same name.
    #[error("`**` stands for whole names, so nothing else can be beside it")]
    HalfAny,
}

/// The names of an absolute path without `..`; `.` and doubled `/` are passed over.
///
/// # Errors
/// If it is something else.
pub fn names(path: &str) -> Result<Vec<&str>, PathError> {
    if !path.starts_with('/') {
        return Err(PathError::Relative);
    }
    if path.len() > MOST_BYTES {
        return Err(PathError::TooLong);
    }
    if path.chars().any(char::is_control) {
        return Err(PathError::Unprintable);
    }
    let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty() && *name != ".").collect();
    if names.contains(&"..") { Err(PathError::GoesUp) } else { Ok(names) }
}

/// The path with these names.
#[must_use]
pub fn joined<S: AsRef<str>>(names: &[S]) -> String {
    if names.is_empty() {
        return "/".to_owned();
    }
    names.iter().fold(String::new(), |path, name| path + "/" + name.as_ref())
}

impl PathPattern {
    /// This path and no other, whatever characters it has; none if it is no absolute path without `..`.
    #[must_use]
    pub fn exactly(path: &Path) -> Option<Self> {
        let names = names(path.to_str()?).ok()?;
        Some(Self(names.into_iter().map(|name| Part::Name(name.to_owned())).collect()))
    }

    /// The same pattern below this folder.
    #[must_use]
    pub fn below<S: AsRef<str>>(&self, folder: &[S]) -> Self {
        let folder = folder.iter().map(|name| Part::Name(name.as_ref().to_owned()));
        Self(folder.chain(self.0.iter().cloned()).collect())
    }

    /// How many names it begins with before the first that may be various.
    #[must_use]
    pub fn fixed(&self) -> usize {
        self.0.iter().take_while(|part| matches!(part, Part::Name(_))).count()
    }

    /// What follows its fixed names, as a pattern below this folder.
    #[must_use]
    pub fn moved<S: AsRef<str>>(&self, folder: &[S]) -> Self {
        Self(self.0[self.fixed()..].to_vec()).below(folder)
    }

    /// Whether the path with these names is meant.
    #[must_use]
    pub fn matches<S: AsRef<str>>(&self, names: &[S]) -> bool {
        spread(&self.0, names, |part| *part == Part::Any, |part, name| part.is(name.as_ref()))
    }
}

impl Part {
    fn is(&self, name: &str) -> bool {
        match self {
            Self::Name(own) => own == name,
            Self::Like(like) => {
                let (like, name): (Vec<char>, Vec<char>) = (like.chars().collect(), name.chars().collect());
                spread(&like, &name, |c| *c == '*', |a, b| a == b)
            }
            Self::Any => true,
        }
    }
}

/// Whether the items fit a pattern in which some parts stand for any number of items. What an earlier one of those took
/// never needs to be reconsidered once a later one is reached, so this takes no more than their product in steps.
fn spread<P, T>(
    pattern: &[P],
    items: &[T],
    is_any: impl Fn(&P) -> bool,
    fits: impl Fn(&P, &T) -> bool,
) -> bool {
    let (mut at, mut item) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while item < items.len() {
        match pattern.get(at) {
            Some(part) if is_any(part) => {
                retry = Some((at, item));
                at += 1;
            }
            Some(part) if fits(part, &items[item]) => {
                at += 1;
                item += 1;
            }
            _ => {
                let Some((any, from)) = retry else { return false };
                retry = Some((any, from + 1));
                at = any + 1;
                item = from + 1;
            }
        }
    }
    pattern[at..].iter().all(is_any)
}

impl FromStr for PathPattern {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let part = |name: &str| match name {
            "**" => Ok(Part::Any),
            _ if name.contains("**") => Err(PathError::HalfAny),
            _ if name.contains('*') => Ok(Part::Like(name.to_owned())),
            _ => Ok(Part::Name(name.to_owned())),
        };
        Ok(Self(names(text)?.into_iter().map(part).collect::<Result<_, _>>()?))
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self
            .0
            .iter()
            .map(|part| match part {
                Part::Name(name) | Part::Like(name) => name.as_str(),
                Part::Any => "**",
            })
            .collect();
        f.write_str(&joined(&names))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        pattern.parse::<PathPattern>().unwrap().matches(&names(path).unwrap())
    }

    #[test]
    fn patterns_mean_what_they_say() {
        for (pattern, path, expected) in [
            ("/etc/fstab", "/etc/fstab", true),
            ("/etc//./fstab/", "/etc/fstab", true),
            ("/etc/fstab", "/etc/fstab.d", false),
            ("/etc/fstab", "/etc", false),
            ("/sys/fs/ext4/*/errors_count", "/sys/fs/ext4/sda1/errors_count", true),
            ("/sys/fs/ext4/*/errors_count", "/sys/fs/ext4/errors_count", false),
            ("/sys/fs/ext4/*/errors_count", "/sys/fs/ext4/a/b/errors_count", false),
            ("/var/log/*.log", "/var/log/a.log", true),
            ("/var/log/*.log", "/var/log/.log", true),
            ("/var/log/*.log", "/var/log/a.log.1", false),
            ("/a*b*c", "/abcbc", true),
            ("/a*b*c", "/acb", false),
            ("/var/**", "/var", true),
            ("/var/**", "/var/a/b/c", true),
            ("/var/**", "/varnish", false),
            ("/a/**/z", "/a/z", true),
            ("/a/**/z", "/a/b/z/c/z", true),
            ("/a/**/z", "/a/b/z/c", false),
            ("/**", "/", true),
            ("/", "/", true),
            ("/", "/a", false),
            ("/[a]?", "/[a]?", true),
            ("/[a]?", "/ab", false),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn what_is_no_path_is_refused_with_a_reason() {
        for (text, error) in [
            ("", PathError::Relative),
            ("etc/fstab", PathError::Relative),
            ("/etc/../root", PathError::GoesUp),
            ("/..", PathError::GoesUp),
            ("/a\0b", PathError::Unprintable),
            ("/a\nb", PathError::Unprintable),
            ("/a/x**", PathError::HalfAny),
            ("/a/***", PathError::HalfAny),
        ] {
            assert_eq!(text.parse::<PathPattern>(), Err(error), "{text:?}");
        }
        assert_eq!(names(&format!("/{}", "x".repeat(MOST_BYTES))), Err(PathError::TooLong));
        assert_eq!(names("/..a/b.."), Ok(vec!["..a", "b.."]));
    }

    #[test]
    fn a_pattern_moves_with_its_folder() {
        let pattern: PathPattern = "/var/lib/apt/lists/**/x*".parse().unwrap();
        assert_eq!(pattern.fixed(), 4);
        assert_eq!(pattern.below(&["host"]).to_string(), "/host/var/lib/apt/lists/**/x*");
        assert_eq!(pattern.moved(&["mnt", "*"]).to_string(), "/mnt/*/**/x*");
        // A folder's own `*` is a character like others.
        assert!(!pattern.moved(&["mnt", "*"]).matches(&["mnt", "b", "x"]));
        assert!(PathPattern::exactly(Path::new("/a/*")).unwrap().matches(&["a", "*"]));
        assert!(!PathPattern::exactly(Path::new("/a/*")).unwrap().matches(&["a", "b"]));
        assert_eq!(PathPattern::exactly(Path::new("a")), None);
    }

    /// Tried in every way there is.
    fn slowly(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('*', rest)) => (0..=text.len()).any(|taken| slowly(rest, &text[taken..])),
            Some((first, rest)) => {
                text.split_first().is_some_and(|(c, text)| c == first && slowly(rest, text))
            }
        }
    }

    proptest! {
        #[test]
        fn stars_match_as_the_slow_way_does(pattern in "[ab*]{0,8}", text in "[ab]{0,10}") {
            let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
            prop_assert_eq!(spread(&pattern, &text, |c| *c == '*', |a, b| a == b), slowly(&pattern, &text));
        }

        #[test]
        fn any_text_is_a_pattern_or_is_refused(text in any::<String>(), path in "(/[a*.]{0,3}){0,5}") {
            let _ = text.parse::<PathPattern>().map(|pattern| pattern.matches(&["a", "b"]));
            if let Ok(pattern) = path.parse::<PathPattern>() {
                prop_assert_eq!(pattern.to_string().parse::<PathPattern>(), Ok(pattern.clone()));
                prop_assert!(!path.contains("..") || !path.split('/').any(|name| name == ".."));
            }
        }
    }
}
