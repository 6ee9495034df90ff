//! One alert as a mail.

use std::time::SystemTime;

use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use pihook_core::{Message, Timestamp};

use crate::sinks::SendContext;
use crate::sinks::text::{Lines, clean, cut_middle, layout};

/// The longest subject, in UTF-16 units.
const SUBJECT: usize = 200;
/// The longest text, in UTF-16 units.
const BODY: usize = 50_000;

/// The mail. `ids` are its own and that of the mail that it answers.
///
/// # Errors
/// When no mail can be made of it.
pub(super) fn compose(
    from: &Mailbox,
    to: &[Mailbox],
    message: &Message,
    context: &SendContext<'_>,
    (id, answers): (String, Option<String>),
) -> Result<lettre::Message, lettre::error::Error> {
    // On one line: what follows a line break in a subject would be a header.
    let title = clean(&message.title, Lines::Join);
    let text = layout(message, context.late);
    let text = if text.is_empty() { &title } else { &text };
    // Mail has no dates before 1970.
    let date = SystemTime::from(context.now.max(Timestamp::UNIX_EPOCH));
    let mut mail = lettre::Message::builder()
        .from(from.clone())
        .subject(cut_middle(&title, SUBJECT))
        .date(date)
        .message_id(Some(id))
        .header(ContentType::TEXT_PLAIN)
        .raw_header(automatic());
    for to in to {
        mail = mail.to(to.clone());
    }
    if let Some(answers) = answers {
        mail = mail.in_reply_to(answers.clone()).references(answers);
    }
    mail.body(cut_middle(text, BODY).into_owned())
}

/// Keeps automatic answers away, such as those of people on holiday.
fn automatic() -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned())
}
