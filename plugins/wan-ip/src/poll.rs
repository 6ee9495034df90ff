//! The count of what the echoes say: the majority is right.

use std::net::IpAddr;

/// So many have to agree, unless there is only one to ask.
const QUORUM: usize = 2;

/// The answers so far.
#[derive(Clone, Debug)]
pub struct Poll {
    echoes: usize,
    votes: Vec<(String, IpAddr)>,
    failures: Vec<(String, Failed)>,
}

/// Why an echo has not named an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failed {
    /// Nothing came back.
    Unreachable(String),
    /// Something came back that is no address.
    Useless(String),
    /// PiHook itself or its configuration is at fault, which says nothing about the way out.
    Own(pihook_plugin::Failure),
}

impl Failed {
    pub(crate) fn text(&self) -> &str {
        match self {
            Failed::Unreachable(text) | Failed::Useless(text) => text,
            Failed::Own(
                pihook_plugin::Failure::Settings(text)
                | pihook_plugin::Failure::Denied(text)
                | pihook_plugin::Failure::Other(text),
            ) => text,
        }
    }
}

impl Poll {
    /// Nobody has been asked yet, of so many.
    #[must_use]
    pub fn new(echoes: usize) -> Poll {
        Poll { echoes, votes: Vec::new(), failures: Vec::new() }
    }

    /// Notes what one of them said.
    pub fn note(&mut self, echo: &str, answer: Result<IpAddr, Failed>) {
        match answer {
            Ok(address) => self.votes.push((echo.to_owned(), address)),
            Err(failed) => self.failures.push((echo.to_owned(), failed)),
        }
    }

    /// Whether those who have not been asked cannot change the result.
    #[must_use]
    pub fn is_certain(&self) -> bool {
        let left = self.echoes.saturating_sub(self.votes.len() + self.failures.len());
        let counts = self.counts();
        let best = counts.first().map_or(0, |(_, votes)| *votes);
        let second = counts.get(1).map_or(0, |(_, votes)| *votes);
        best >= self.quorum() && best.saturating_sub(second) > left
    }

    /// The address that the most name, if they are enough and more than for any other.
    #[must_use]
    pub fn winner(&self) -> Option<IpAddr> {
        let counts = self.counts();
        let (address, best) = *counts.first()?;
        let tie = counts.get(1).is_some_and(|(_, votes)| *votes == best);
        (best >= self.quorum() && !tie).then_some(address)
    }

    /// The addresses with their votes, the most first.
    #[must_use]
    pub fn counts(&self) -> Vec<(IpAddr, usize)> {
        let mut counts: Vec<(IpAddr, usize)> = Vec::new();
        for (_, address) in &self.votes {
            match counts.iter_mut().find(|(known, _)| known == address) {
                Some((_, votes)) => *votes += 1,
                None => counts.push((*address, 1)),
            }
        }
        counts.sort_by_key(|(_, votes)| std::cmp::Reverse(*votes));
        counts
    }

    /// Who named this address.
    pub fn voters(&self, address: IpAddr) -> impl Iterator<Item = &str> {
        self.votes.iter().filter(move |(_, named)| *named == address).map(|(echo, _)| echo.as_str())
    }

    /// Who named none, and why.
    #[must_use]
    pub fn failures(&self) -> &[(String, Failed)] {
        &self.failures
    }

    fn quorum(&self) -> usize {
        QUORUM.min(self.echoes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Letters are addresses, `-` is a failure.
    fn poll(echoes: usize, said: &str) -> Poll {
        let mut poll = Poll::new(echoes);
        for (index, letter) in said.bytes().enumerate() {
            let answer = match letter {
                b'-' => Err(Failed::Unreachable("it hangs".into())),
                letter => Ok(IpAddr::from([203, 0, 113, letter])),
            };
            poll.note(&index.to_string(), answer);
        }
        poll
    }

    fn winner(poll: &Poll) -> Option<char> {
        match poll.winner()? {
            IpAddr::V4(address) => Some(char::from(address.octets()[3])),
            IpAddr::V6(_) => None,
        }
    }

    #[test]
    fn the_majority_wins_if_two_agree() {
        for (echoes, said, expected) in [
            (4, "aaaa", Some('a')),
            (4, "aab", Some('a')),
            (4, "baca", Some('a')),
            (4, "-a-a", Some('a')),
            (4, "aabb", None),
            (4, "abcd", None),
            (4, "a---", None),
            (4, "----", None),
            (3, "aab", Some('a')),
            (3, "ab-", None),
            (2, "aa", Some('a')),
            (2, "ab", None),
            (2, "a-", None),
            (1, "a", Some('a')),
            (1, "-", None),
            (5, "aabbb", Some('b')),
            (0, "", None),
        ] {
            assert_eq!(winner(&poll(echoes, said)), expected, "{said} of {echoes}");
        }
    }

    #[test]
    fn nobody_is_asked_when_it_is_certain() {
        for (echoes, enough) in [
            (1, "a"),
            (2, "aa"),
            (3, "aa"),
            (3, "aba"),
            (4, "aaa"),
            (4, "a-a"),
            (4, "-aa"),
            (5, "aaa"),
            (4, "aaba"),
        ] {
            assert!(poll(echoes, enough).is_certain(), "{enough} of {echoes}");
            assert!(
                !poll(echoes, &enough[..enough.len() - 1]).is_certain(),
                "{enough} of {echoes}: one less"
            );
        }
        assert!(!poll(4, "aa").is_certain(), "the other two could agree on another");
        assert!(!poll(3, "a-").is_certain());
    }

    proptest! {
        #[test]
        fn what_is_certain_does_not_change(said in "[ab-]{1,8}") {
            let echoes = said.len();
            let asked = (1..=echoes).find(|asked| poll(echoes, &said[..*asked]).is_certain());
            if let Some(asked) = asked {
                prop_assert_eq!(winner(&poll(echoes, &said[..asked])), winner(&poll(echoes, &said)));
            }
        }
    }
}
