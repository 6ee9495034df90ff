//! E-mail, handed to a mail server over SMTP.

mod mail;
mod session;

use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lettre::message::Mailbox;
use lettre::transport::smtp::client::{Certificate, TlsParameters};
use pihook_core::{IncidentId, Message, Secret};
use tokio::time::timeout;

use super::{Asking, SendContext, Sending, Sink, Verdict, digest};

/// How long one attempt may take. Mail servers let strangers wait on purpose.
pub const EMAIL_TIMEOUT: Duration = Duration::from_secs(30);

/// The topic of memory that tells to which mail the others of an incident are answers.
const THREAD: &str = "first mail";

/// What services.yaml says of an e-mail sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailSettings {
    /// The mail server's name.
    pub server: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: EmailTls,
    /// The name and the password to log in with.
    pub login: Option<(String, Secret)>,
    /// Who sends.
    pub from: String,
    /// Who receives.
    pub to: Vec<String>,
    /// Certificate authorities to trust beside the machine's own, a file in PEM.
    pub ca_file: Option<PathBuf>,
}

/// How the connection to a mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmailTls {
    /// It begins in the clear, and nothing is sent before it is encrypted.
    StartTls,
    /// It is encrypted from its first byte.
    Implicit,
    /// Not at all.
    None,
}

/// The settings are none that mail can be sent with.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmailError {
    /// No certificate can be compared with this name.
    #[error("this is not the name of a mail server")]
    Server,
    /// Not the sender's address.
    #[error("this is not an e-mail address")]
    From,
    /// Not a recipient's address.
    #[error("this is not a list of e-mail addresses")]
    To,
    /// The file cannot be used.
    #[error("the certificates cannot be used: {0}")]
    CaFile(String),
}

impl EmailError {
    /// The setting's name in services.yaml.
    #[must_use]
    pub fn setting(&self) -> &'static str {
        match self {
            EmailError::Server => "server",
            EmailError::From => "from",
            EmailError::To => "to",
            EmailError::CaFile(_) => "ca_file",
        }
    }

    /// What would be right.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            EmailError::Server => "such as `smtp.example.org`",
            EmailError::From | EmailError::To => {
                "such as `pi@example.org` or `\"PiHook <pi@example.org>\"`, with an address in ASCII"
            }
            EmailError::CaFile(_) => "a file with certificates in PEM that pihook may read",
        }
    }
}

/// A mail server that takes alerts for some recipients.
pub struct EmailSink {
    settings: EmailSettings,
    from: Mailbox,
    to: Vec<Mailbox>,
    trust: Option<TlsParameters>,
    timeout: Duration,
}

impl fmt::Debug for EmailSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmailSink").field("fingerprint", &self.fingerprint()).finish_non_exhaustive()
    }
}

impl Sink for EmailSink {
    fn kind(&self) -> &'static str {
        "email"
    }

    fn fingerprint(&self) -> String {
        let settings = &self.settings;
        let rest = format!(
            "{} {} {:?} {} {:?} {:?}",
            settings.server, settings.port, settings.tls, settings.from, settings.to, settings.ca_file
        );
        let login = settings.login.as_ref();
        digest([
            Some("email"),
            Some(&rest),
            login.map(|(user, _)| user.as_str()),
            login.map(|(_, password)| password.expose()),
        ])
    }

    fn send<'a>(&'a self, message: &'a Message, context: &'a SendContext<'a>) -> Sending<'a> {
        Box::pin(async move {
            let id = format!("<{}@{}>", context.key(), self.from.email.domain());
            let first = self.first_of_thread(context, &id).await;
            let answers = first.filter(|first| *first != id);
            let mail = match mail::compose(&self.from, &self.to, message, context, (id, answers)) {
                Ok(mail) => mail,
                Err(error) => return Verdict::Refused(error.to_string()),
            };
            match timeout(self.timeout, self.hand_over(&mail.formatted())).await {
                Ok(Ok(())) => Verdict::Sent,
                Ok(Err(verdict)) => verdict,
                Err(_elapsed) => Verdict::Retry("no answer in time".to_owned()),
            }
        })
    }

    fn ask(&self) -> Asking<'_> {
        Box::pin(async move {
            match timeout(self.timeout, self.inquire()).await {
                Ok(asked) => asked.map_err(|verdict| verdict.to_string()),
                Err(_elapsed) => Err("no answer in time".to_owned()),
            }
        })
    }
}

impl EmailSink {
    /// A sink that sends as `settings` say and gives an attempt up after `timeout`, usually [`EMAIL_TIMEOUT`]. Reads
    /// the machine's certificates and those of `ca_file`.
    ///
    /// # Errors
    /// When no mail can be sent with the settings.
    pub fn new(settings: EmailSettings, timeout: Duration) -> Result<Self, EmailError> {
        let from = mailbox(&settings.from).ok_or(EmailError::From)?;
        let to: Option<Vec<_>> = settings.to.iter().map(|to| mailbox(to)).collect();
        let to = to.filter(|to| !to.is_empty()).ok_or(EmailError::To)?;
        let trust = match settings.tls {
            EmailTls::None => None,
            EmailTls::StartTls | EmailTls::Implicit => Some(trust(&settings)?),
        };
        Ok(Self { settings, from, to, trust, timeout })
    }

    /// The number of the incident's first mail: that of this one, if there was none before. A mail about several is no
    /// part of a thread.
    async fn first_of_thread(&self, context: &SendContext<'_>, id: &str) -> Option<String> {
        let incident = context.alert.incident;
        if incident == IncidentId::NONE || !context.also.is_empty() {
            return None;
        }
        let key = incident.0.to_string();
        let known = context.memory.recall(THREAD, &key).await;
        if known.is_none() {
            // Before it is sent: an attempt that is repeated has the same number.
            context.memory.remember(THREAD, &key, id).await;
        }
        known
    }

    /// The text without the password, also as it is sent.
    fn redact(&self, text: &str) -> String {
        let Some((user, password)) = &self.settings.login else { return text.to_owned() };
        let (password, both) = (password.expose(), format!("\0{user}\0{}", password.expose()));
        let secrets = [STANDARD.encode(both), STANDARD.encode(password), password.to_owned()];
        let secrets = secrets.iter().filter(|secret| !secret.is_empty());
        secrets.fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), "***"))
    }
}

fn mailbox(text: &str) -> Option<Mailbox> {
    let mailbox: Mailbox = text.trim().parse().ok()?;
    // Addresses beyond ASCII need servers that take them, and few do.
    let address: &str = mailbox.email.as_ref();
    let named = mailbox.name.as_ref().is_none_or(|name| !name.contains(char::is_control));
    (address.is_ascii() && named).then_some(mailbox)
}

fn trust(settings: &EmailSettings) -> Result<TlsParameters, EmailError> {
    let mut parameters = TlsParameters::builder(settings.server.clone());
    if let Some(file) = &settings.ca_file {
        let pem = fs::read(file).map_err(|error| EmailError::CaFile(error.to_string()))?;
        let certificates = Certificate::from_pem(&pem).map_err(|_| bad_pem())?;
        if !pem.windows(PEM.len()).any(|window| window == PEM) {
            return Err(bad_pem());
        }
        parameters = parameters.add_root_certificate(certificates);
    }
    parameters.build_rustls().map_err(|_| bad_pem())
}

const PEM: &[u8] = b"-----BEGIN CERTIFICATE-----";

fn bad_pem() -> EmailError {
    EmailError::CaFile("there are no certificates in PEM in it".to_owned())
}

#[cfg(test)]
mod tests;
