//! The conversation with the mail server.

use std::error::Error as _;
use std::time::Duration;

use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use tokio::time::timeout;
use tracing::warn;

use super::{EmailSink, EmailTls};
use crate::sinks::Verdict;
use crate::sinks::text::{Lines, clean, cut_middle};

const DETAIL: usize = 300;
const MECHANISMS: &[Mechanism] = &[Mechanism::Plain, Mechanism::Login];
/// How long to wait for the server's farewell: the mail is taken, and must be noted as such.
const FAREWELL: Duration = Duration::from_millis(500);

impl EmailSink {
    /// Hands the mail over. Who refuses it for some of its recipients only gets it for the others.
    pub(super) async fn hand_over(&self, mail: &[u8]) -> Result<(), Verdict> {
        let mut connection = self.open().await?;
        self.address(&mut connection).await?;
        let refused = |error| self.judge(&error, Verdict::Refused);
        connection.command(Data).await.map_err(refused)?;
        connection.message(mail).await.map_err(refused)?;
        let _ = timeout(FAREWELL, connection.quit()).await;
        Ok(())
    }

    /// Goes as far as one can without sending.
    pub(super) async fn inquire(&self) -> Result<(), Verdict> {
        let mut connection = self.open().await?;
        self.address(&mut connection).await?;
        let _ = timeout(FAREWELL, connection.quit()).await;
        Ok(())
    }

    /// A connection, encrypted and logged in as the settings want it.
    async fn open(&self) -> Result<AsyncSmtpConnection, Verdict> {
        let settings = &self.settings;
        let (place, hello) = ((settings.server.as_str(), settings.port), ClientId::default());
        let at_once = self.trust.clone().filter(|_| settings.tls == EmailTls::Implicit);
        let connected =
            AsyncSmtpConnection::connect_tokio1(place, Some(self.timeout), &hello, at_once, None).await;
        // Also a refusal in the greeting: it is about this machine's address or the server's load.
        let mut connection = connected.map_err(|error| self.again(&error))?;
        if let Some(trust) = self.trust.clone().filter(|_| settings.tls == EmailTls::StartTls) {
            if !connection.can_starttls() {
                let why = "the mail server does not offer STARTTLS, and nothing is sent in the clear";
                return Err(Verdict::Retry(why.to_owned()));
            }
            connection.starttls(trust, &hello).await.map_err(|error| self.again(&error))?;
        }
        if let Some((user, password)) = &settings.login {
            if connection.server_info().get_auth_mechanism(MECHANISMS).is_none() {
                let why = "the mail server offers no login by PLAIN or LOGIN: remove `user` and `password`, or use another port";
                return Err(Verdict::Disabled(why.to_owned()));
            }
            let credentials = Credentials::new(user.clone(), password.expose().to_owned());
            let refused = |why| {
                Verdict::Disabled(format!("{why}: the mail server does not accept `user` and `password`"))
            };
            let answer = connection.auth(MECHANISMS, &credentials).await;
            answer.map_err(|error| self.judge(&error, refused))?;
        }
        Ok(connection)
    }

    /// Tells from whom and to whom. A refusal of these concerns every mail, so it is nothing against this one.
    async fn address(&self, connection: &mut AsyncSmtpConnection) -> Result<(), Verdict> {
        let refused =
            |what| move |why| Verdict::Disabled(format!("{why}: the mail server does not accept {what}"));
        let mail = Mail::new(Some(self.from.email.clone()), Vec::new());
        let answer = connection.command(mail).await;
        answer.map_err(|error| self.judge(&error, refused("`from`, or no mail from this machine")))?;
        let mut taken = false;
        let mut refusal = None;
        for to in &self.to {
            let answer = connection.command(Rcpt::new(to.email.clone(), Vec::new())).await;
            match answer.map_err(|error| self.judge(&error, refused("any of `to`"))) {
                Ok(_) => taken = true,
                Err(Verdict::Disabled(why)) => refusal = Some(why),
                Err(other) => return Err(other),
            }
        }
        match refusal {
            Some(why) if !taken => Err(Verdict::Disabled(why)),
            Some(why) => {
                warn!("a mail goes without some of its recipients: {why}");
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// What a failure leads to; `refused`, if the server means it for good.
    fn judge(&self, error: &Error, refused: impl FnOnce(String) -> Verdict) -> Verdict {
        if error.is_permanent() { refused(self.said(error)) } else { self.again(error) }
    }

    fn again(&self, error: &Error) -> Verdict {
        Verdict::Retry(self.said(error))
    }

    /// The error on one line of bounded length, without what is secret.
    fn said(&self, error: &Error) -> String {
        let text = match (error.status(), error.source()) {
            (Some(code), Some(text)) => format!("the mail server answered {code} {text}"),
            (Some(code), None) => format!("the mail server answered {code}"),
            (None, _) => error.to_string(),
        };
        let text = clean(&self.redact(&text), Lines::Join);
        cut_middle(&text, DETAIL).into_owned()
    }
}
