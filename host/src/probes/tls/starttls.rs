//! What is said in plain text before a handshake: SMTP's and IMAP's `STARTTLS` (RFC 3207, RFC 9051).
//!
//! Nothing may follow the server's consent before the handshake: who puts words there would have them taken for
//! encrypted ones. Whatever comes together with the consent is therefore refused; whatever comes after it is no TLS.

use std::net::{IpAddr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::probes::NetError;
use crate::probes::net::reason;

/// The longest line that is read, in bytes.
const LONGEST_LINE: usize = 4096;

/// The most lines that are read in all.
const MOST_LINES: usize = 100;

/// How much of what a server says is quoted, in characters.
const QUOTED: usize = 100;

/// A protocol that begins in plain text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Starttls {
    /// SMTP.
    Smtp,
    /// IMAP.
    Imap,
}

impl Starttls {
    /// The polite way out, once encrypted.
    pub(super) fn goodbye(self) -> &'static [u8] {
        match self {
            Self::Smtp => b"QUIT\r\n",
            Self::Imap => b"a2 LOGOUT\r\n",
        }
    }
}

/// Talks until the handshake may begin.
///
/// # Errors
/// [`NetError::Protocol`] if the server does not want TLS, or talks otherwise than it should; [`NetError::Closed`] if it
/// goes away.
pub(super) async fn agree(
    stream: &mut TcpStream,
    protocol: Starttls,
    remote: SocketAddr,
) -> Result<(), NetError> {
    let broken = |error: std::io::Error| {
        NetError::Closed(format!("the connection to {remote} broke before STARTTLS: {}", reason(&error)))
    };
    let me = stream.local_addr().map_err(broken)?.ip();
    let mut dialogue = Dialogue::new(protocol, me);
    let mut buffer = [0; 1024];
    loop {
        let length = stream.read(&mut buffer).await.map_err(broken)?;
        if length == 0 {
            return Err(NetError::Closed(format!("{remote} closed the connection before STARTTLS")));
        }
        let heard = dialogue.hear(buffer.get(..length).unwrap_or_default());
        match heard.map_err(|fault| NetError::Protocol(format!("{remote} {fault}")))? {
            Next::Wait => {}
            Next::Say(words) => stream.write_all(words.as_bytes()).await.map_err(broken)?,
            Next::ShakeHands => return Ok(()),
        }
    }
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Next {
    Wait,
    Say(String),
    ShakeHands,
}

/// The client's half of the talk. Pure: bytes in, words out.
struct Dialogue {
    protocol: Starttls,
    stage: Stage,
    /// How we introduce ourselves to SMTP.
    me: String,
    /// What is not a line yet.
    unread: Vec<u8>,
    lines: usize,
    offered: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Greeting,
    Hello,
    Consent,
    Done,
}

impl Dialogue {
    fn new(protocol: Starttls, me: IpAddr) -> Self {
        let me = match me {
            IpAddr::V4(address) => format!("[{address}]"),
            IpAddr::V6(address) => format!("[IPv6:{address}]"),
        };
        Self { protocol, stage: Stage::Greeting, me, unread: Vec::new(), lines: 0, offered: false }
    }

    /// Takes what came. The words of one answer may come in pieces; more than the answer may not come.
    ///
    /// # Errors
    /// What the server did, as `does not offer STARTTLS`.
    fn hear(&mut self, bytes: &[u8]) -> Result<Next, String> {
        self.unread.extend_from_slice(bytes);
        while let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.unread.drain(..=end).collect();
            self.lines += 1;
            if line.len() > LONGEST_LINE || self.lines > MOST_LINES {
                return Err(self.endless());
            }
            let line = String::from_utf8_lossy(&line);
            let next = match self.protocol {
                Starttls::Smtp => self.hear_smtp(line.trim_end())?,
                Starttls::Imap => self.hear_imap(line.trim_end())?,
            };
            match next {
                Next::Wait => {}
                _ if self.unread.is_empty() => return Ok(next),
                Next::ShakeHands => {
                    return Err(
                        "sends plain text between its consent to STARTTLS and the handshake".to_owned()
                    );
                }
                Next::Say(_) => return Err("goes on talking when it is not its turn".to_owned()),
            }
        }
        if self.unread.len() > LONGEST_LINE { Err(self.endless()) } else { Ok(Next::Wait) }
    }

    fn hear_smtp(&mut self, line: &str) -> Result<Next, String> {
        let (code, rest) = line.split_at_checked(3).unwrap_or((line, ""));
        let fitting = code.bytes().all(|byte| byte.is_ascii_digit()) && code.len() == 3;
        if !fitting || !(rest.is_empty() || rest.starts_with([' ', '-'])) {
            return Err(format!("does not speak SMTP but says {}", quoted(line)));
        }
        let text = rest.get(1..).unwrap_or_default().trim();
        self.offered |= self.stage == Stage::Hello && text.eq_ignore_ascii_case("STARTTLS");
        if rest.starts_with('-') {
            return Ok(Next::Wait);
        }
        match (self.stage, code) {
            (Stage::Greeting, "220") => {
                self.stage = Stage::Hello;
                Ok(Next::Say(format!("EHLO {}\r\n", self.me)))
            }
            (Stage::Greeting, _) => Err(format!("does not welcome: {}", quoted(line))),
            (Stage::Hello, "250") if self.offered => {
                self.stage = Stage::Consent;
                Ok(Next::Say("STARTTLS\r\n".to_owned()))
            }
            (Stage::Hello, "250") => Err("does not offer STARTTLS".to_owned()),
            (Stage::Hello, _) => Err(format!("refuses EHLO: {}", quoted(line))),
            (Stage::Consent, "220") => {
                self.stage = Stage::Done;
                Ok(Next::ShakeHands)
            }
            (Stage::Consent | Stage::Done, _) => Err(format!("refuses STARTTLS: {}", quoted(line))),
        }
    }

    fn hear_imap(&mut self, line: &str) -> Result<Next, String> {
        let mut words = line.split(' ');
        let (tag, word) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let says = |wanted: &str| word.eq_ignore_ascii_case(wanted);
        match self.stage {
            Stage::Greeting if tag == "*" && says("OK") => {
                self.stage = Stage::Consent;
                Ok(Next::Say("a1 STARTTLS\r\n".to_owned()))
            }
            Stage::Greeting if tag == "*" && says("PREAUTH") => {
                Err("has logged us in already, so there is no STARTTLS".to_owned())
            }
            Stage::Greeting if tag == "*" && says("BYE") => {
                Err(format!("does not welcome: {}", quoted(line)))
            }
            Stage::Consent if tag == "*" && says("BYE") => Err(format!("refuses STARTTLS: {}", quoted(line))),
            Stage::Consent if tag == "*" => Ok(Next::Wait),
            Stage::Consent if tag == "a1" && says("OK") => {
                self.stage = Stage::Done;
                Ok(Next::ShakeHands)
            }
            Stage::Consent if tag == "a1" => Err(format!("refuses STARTTLS: {}", quoted(line))),
            Stage::Greeting | Stage::Hello | Stage::Consent | Stage::Done => {
                Err(format!("does not speak IMAP but says {}", quoted(line)))
            }
        }
    }

    fn endless(&self) -> String {
        let name = match self.protocol {
            Starttls::Smtp => "SMTP",
            Starttls::Imap => "IMAP",
        };
        format!("talks without end instead of {name}")
    }
}

fn quoted(line: &str) -> String {
    let shown: String = line.chars().take(QUOTED).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let more = if line.chars().nth(QUOTED).is_some() { "…" } else { "" };
    format!("\"{shown}{more}\"")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn dialogue(protocol: Starttls) -> Dialogue {
        Dialogue::new(protocol, IpAddr::from([192, 0, 2, 9]))
    }

    /// What comes of these pieces, one after the other: the last thing to do, or the fault.
    fn after(protocol: Starttls, pieces: &[&str]) -> Result<Next, String> {
        let mut dialogue = dialogue(protocol);
        pieces.iter().try_fold(Next::Wait, |_, piece| dialogue.hear(piece.as_bytes()))
    }

    fn say(words: &str) -> Result<Next, String> {
        Ok(Next::Say(words.to_owned()))
    }

    #[test]
    fn smtp_agrees() {
        let smtp = |pieces: &[&str]| after(Starttls::Smtp, pieces);
        let hello = "EHLO [192.0.2.9]\r\n";
        assert_eq!(smtp(&["220 mail.lan ESMTP\r\n"]), say(hello));
        assert_eq!(smtp(&["220-mail.lan\r\n220-be nice\r\n220 \r\n"]), say(hello));
        assert_eq!(smtp(&["220-mail.lan\r\n22", "0\n"]), say(hello), "in pieces, and without text");
        assert_eq!(smtp(&["220-mail.lan\r\n"]), Ok(Next::Wait));
        let offer = "250-mail.lan\r\n250-PIPELINING\r\n250-starttls\r\n250 8BITMIME\r\n";
        assert_eq!(smtp(&["220 x\r\n", offer]), say("STARTTLS\r\n"));
        assert_eq!(smtp(&["220 x\r\n", "250 STARTTLS\r\n"]), say("STARTTLS\r\n"));
        assert_eq!(smtp(&["220 x\r\n", offer, "220 2.0.0 go on\r\n"]), Ok(Next::ShakeHands));
        let v6 = Dialogue::new(Starttls::Smtp, "2001:db8::1".parse().unwrap()).hear(b"220 x\n");
        assert_eq!(v6, say("EHLO [IPv6:2001:db8::1]\r\n"));
    }

    #[test]
    fn imap_agrees() {
        let imap = |pieces: &[&str]| after(Starttls::Imap, pieces);
        assert_eq!(imap(&["* OK [CAPABILITY IMAP4rev1 STARTTLS] ready.\r\n"]), say("a1 STARTTLS\r\n"));
        let consent = "* CAPABILITY x\r\na1 ok Begin TLS negotiation now.\r\n";
        assert_eq!(imap(&["* OK\r\n", consent]), Ok(Next::ShakeHands));
    }

    #[test]
    fn who_does_not_agree_is_quoted() {
        for (protocol, pieces, fault) in [
            (Starttls::Smtp, &["554 go away\r\n"][..], "does not welcome: \"554 go away\""),
            (
                Starttls::Smtp,
                &["SSH-2.0-OpenSSH_9.2\r\n"],
                "does not speak SMTP but says \"SSH-2.0-OpenSSH_9.2\"",
            ),
            (Starttls::Smtp, &["22ö x\r\n"], "does not speak SMTP but says \"22ö x\""),
            (Starttls::Smtp, &["\r\n"], "does not speak SMTP but says \"\""),
            (Starttls::Smtp, &["220 x\r\n", "502 what?\r\n"], "refuses EHLO: \"502 what?\""),
            (Starttls::Smtp, &["220 x\r\n", "250-x\r\n250 HELP\r\n"], "does not offer STARTTLS"),
            (
                Starttls::Smtp,
                &["220 x\r\n", "250 STARTTLS\r\n", "454 not\u{7} now\r\n"],
                "refuses STARTTLS: \"454 not  now\"",
            ),
            (Starttls::Imap, &["* BYE full\r\n"], "does not welcome: \"* BYE full\""),
            (Starttls::Imap, &["* PREAUTH welcome\r\n"], "has logged us in already, so there is no STARTTLS"),
            (Starttls::Imap, &["220 x\r\n"], "does not speak IMAP but says \"220 x\""),
            (Starttls::Imap, &["* OK\r\n", "a1 BAD what\r\n"], "refuses STARTTLS: \"a1 BAD what\""),
            (Starttls::Imap, &["* OK\r\n", "a2 OK\r\n"], "does not speak IMAP but says \"a2 OK\""),
        ] {
            assert_eq!(after(protocol, pieces), Err(fault.to_owned()), "{pieces:?}");
        }
    }

    #[test]
    fn plain_text_behind_the_consent_is_refused() {
        let injected = "sends plain text between its consent to STARTTLS and the handshake";
        let smtp = ["220 x\r\n", "250 STARTTLS\r\n", "220 go\r\n250 injected\r\n"];
        assert_eq!(after(Starttls::Smtp, &smtp), Err(injected.to_owned()));
        assert_eq!(
            after(Starttls::Smtp, &["220 x\r\n", "250 STARTTLS\r\n", "220 go\r\nx"]),
            Err(injected.to_owned())
        );
        assert_eq!(after(Starttls::Imap, &["* OK\r\n", "a1 OK\r\n* x\r\n"]), Err(injected.to_owned()));
        let early = "goes on talking when it is not its turn";
        assert_eq!(after(Starttls::Imap, &["* OK\r\na1 OK\r\n"]), Err(early.to_owned()));
    }

    #[test]
    fn talk_without_end_ends() {
        let endless = |protocol, piece: String| {
            let mut dialogue = dialogue(protocol);
            (0..10_000).find_map(|_| dialogue.hear(piece.as_bytes()).err())
        };
        let fault = |name| Some(format!("talks without end instead of {name}"));
        assert_eq!(endless(Starttls::Smtp, "220-x\r\n".to_owned()), fault("SMTP"));
        assert_eq!(endless(Starttls::Smtp, "2".repeat(1000)), fault("SMTP"));
        assert_eq!(endless(Starttls::Imap, "x".repeat(1000)), fault("IMAP"));
        let long = format!("220 {}\r\n", "x".repeat(LONGEST_LINE));
        assert!(after(Starttls::Smtp, &[&long]).is_err());
    }

    fn words() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            prop::collection::vec(any::<u8>(), 0..2000),
            prop::sample::select(vec![
                &b"220 x\r\n"[..],
                b"220-x\r\n",
                b"250-STARTTLS\r\n",
                b"250 x\r\n",
                b"250 STARTTLS\r\n",
                b"* OK x\r\n",
                b"a1 OK\r\n",
                b"* x",
                b"\r\n",
                b"220",
                b"a1",
                b"\n",
                "2ö0 x\r\n".as_bytes(),
                b"\xff\xfe\xfd\xfc\n",
            ])
            .prop_map(<[u8]>::to_vec),
        ]
    }

    proptest! {
        #[test]
        fn any_bytes_end_in_words_or_a_fault(
            smtp in any::<bool>(),
            pieces in prop::collection::vec(words(), 0..20),
        ) {
            let mut dialogue = dialogue(if smtp { Starttls::Smtp } else { Starttls::Imap });
            let mut said = 0;
            for piece in &pieces {
                match dialogue.hear(piece) {
                    Ok(Next::Wait) => {}
                    Ok(Next::Say(words)) => {
                        said += 1;
                        prop_assert!(words.ends_with("\r\n") && said <= 2);
                    }
                    Ok(Next::ShakeHands) => {
                        prop_assert!(dialogue.unread.is_empty());
                        break;
                    }
                    Err(fault) => {
                        prop_assert!(!fault.is_empty() && fault.len() < 4 * QUOTED + 100);
                        prop_assert!(!fault.chars().any(char::is_control));
                        break;
                    }
                }
                prop_assert!(dialogue.unread.len() <= LONGEST_LINE);
            }
        }
    }
}
