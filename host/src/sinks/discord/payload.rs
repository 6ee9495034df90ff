//! What is posted: a neutral message as Discord's JSON, within all of its limits.

use pihook_core::{Colour, Field, FieldLayout, Mention, Message, Timestamp};
use serde::Serialize;

use super::limits::{self, cut_middle, fair_cap, units};
use super::markdown::{FILLER, Lines, clean, escape};
use crate::sinks::{Form, SendContext};

/// The body of a webhook's request.
#[derive(Debug, Serialize)]
pub(super) struct Payload<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    embeds: Vec<Embed>,
    allowed_mentions: AllowedMentions<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flags: Option<u32>,
}

/// How a message makes itself heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sound {
    /// As every message of the channel.
    Usual,
    /// It is shown, and nobody's device makes a sound.
    None,
}

/// Discord's flag `SUPPRESS_NOTIFICATIONS`.
const SUPPRESS_NOTIFICATIONS: u32 = 1 << 12;

/// Who may be pinged, whatever the text says. Left out, Discord would ping every user that is named.
#[derive(Debug, Default, Serialize)]
struct AllowedMentions<'a> {
    parse: &'static [&'static str],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    roles: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    users: Vec<&'a str>,
}

/// Roles that one message pings at most, and users.
const MOST_PINGED: usize = 20;

#[derive(Debug, Serialize)]
struct Embed {
    title: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<EmbedField>,
    color: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    footer: Option<Footer>,
}

#[derive(Debug, Serialize)]
struct EmbedField {
    name: String,
    value: String,
    inline: bool,
}

#[derive(Debug, Serialize)]
struct Footer {
    text: String,
}

impl<'a> Payload<'a> {
    /// The message as `context` wants it, under the webhook's own name or another.
    pub(super) fn new(
        message: &Message,
        context: &SendContext<'a>,
        username: Option<&'a str>,
        sound: Sound,
    ) -> Self {
        let flags = (sound == Sound::None).then_some(SUPPRESS_NOTIFICATIONS);
        let (ping, allowed_mentions) = ping(context);
        match context.form {
            Form::Rich => Self {
                username,
                content: ping,
                embeds: vec![Embed::new(message, context)],
                allowed_mentions,
                flags,
            },
            // Without the name, lest it was the name that Discord found fault with.
            Form::Plain => Self {
                username: None,
                content: Some(content(message, context, ping)),
                embeds: Vec::new(),
                allowed_mentions,
                flags,
            },
        }
    }
}

/// A change of a message that was posted: what it does not have goes away.
#[derive(Debug, Serialize)]
pub(super) struct Edit {
    content: Option<String>,
    embeds: Vec<Embed>,
    allowed_mentions: AllowedMentions<'static>,
}

impl Edit {
    /// The message as `context` wants it. It pings nobody: Discord would not either.
    pub(super) fn new(message: &Message, context: &SendContext<'_>) -> Self {
        let (content, embeds) = match context.form {
            Form::Rich => (None, vec![Embed::new(message, context)]),
            Form::Plain => (Some(content(message, context, None)), Vec::new()),
        };
        Self { content, embeds, allowed_mentions: AllowedMentions::default() }
    }
}

/// The text that pings whom the alerts mention, and the permission for just that.
fn ping<'a>(context: &SendContext<'a>) -> (Option<String>, AllowedMentions<'a>) {
    let mentions: Vec<&Mention> = context.alerts().filter_map(|alert| alert.mention.as_ref()).collect();
    let mut allowed = AllowedMentions::default();
    let mut words: Vec<String> = Vec::new();
    // Who is there is among everyone.
    for (mention, word) in [(Mention::Everyone, "@everyone"), (Mention::Here, "@here")] {
        if allowed.parse.is_empty() && mentions.contains(&&mention) {
            allowed.parse = &["everyone"];
            words.push(word.to_owned());
        }
    }
    for mention in mentions {
        let (ids, id, sign) = match mention {
            Mention::Role(id) => (&mut allowed.roles, id, "@&"),
            Mention::User(id) => (&mut allowed.users, id, "@"),
            Mention::Here | Mention::Everyone => continue,
        };
        if is_id(id) && ids.len() < MOST_PINGED && !ids.contains(&id.as_str()) {
            ids.push(id);
            words.push(format!("<{sign}{id}>"));
        }
    }
    ((!words.is_empty()).then(|| words.join(" ")), allowed)
}

/// Whether it is a number as Discord gives them; another would have the whole message refused.
fn is_id(id: &str) -> bool {
    id.parse::<u64>().is_ok() && id.bytes().all(|byte| byte.is_ascii_digit())
}

/// The message as bare text.
fn content(message: &Message, context: &SendContext<'_>, ping: Option<String>) -> String {
    let mut text = escape(&message.title, Lines::Join);
    for line in std::iter::once(message.body.clone()).chain(message.fields.iter().map(row)) {
        text.push('\n');
        text.push_str(&escape(&line, Lines::Keep));
    }
    let head = ping.map(|ping| format!("{ping}\n")).unwrap_or_default();
    let tail = context.late.map(|late| format!("\n{late}")).unwrap_or_default();
    let room = limits::CONTENT.saturating_sub(units(&head) + units(&tail));
    let text = cut_middle(text.trim(), room);
    format!("{head}{}{tail}", filled(&text))
}

fn row(field: &Field) -> String {
    format!("{}: {}", field.name, field.value)
}

impl Embed {
    fn new(message: &Message, context: &SendContext<'_>) -> Self {
        let mut embed = Self {
            title: fit(&message.title, Lines::Join, limits::TITLE),
            description: cut_middle(&escape(&message.body, Lines::Keep), limits::DESCRIPTION).into_owned(),
            fields: message.fields.iter().take(limits::FIELDS).map(EmbedField::new).collect(),
            color: shade(message.colour),
            timestamp: timestamp(context.alert.at),
            // Footers show no formatting, so nothing is escaped.
            footer: context.late.map(|late| Footer {
                text: cut_middle(&clean(&late.to_string(), Lines::Join), limits::FOOTER).into_owned(),
            }),
        };
        embed.fit_total();
        embed
    }

    /// Cuts the longest of the variable texts until all of them fit together.
    fn fit_total(&mut self) {
        let footer = self.footer.as_ref().map_or(0, |footer| units(&footer.text));
        let room = limits::EMBEDS_TOTAL.saturating_sub(units(&self.title) + footer);
        let cap = fair_cap(self.variable_texts().map(|text| units(text)).collect(), room);
        for text in self.variable_texts() {
            if units(text) > cap {
                *text = cut_middle(text, cap).into_owned();
            }
        }
    }

    fn variable_texts(&mut self) -> impl Iterator<Item = &mut String> {
        let fields = self.fields.iter_mut().flat_map(|field| [&mut field.name, &mut field.value]);
        std::iter::once(&mut self.description).chain(fields)
    }
}

impl EmbedField {
    fn new(field: &Field) -> Self {
        Self {
            name: fit(&field.name, Lines::Join, limits::FIELD_NAME),
            value: fit(&field.value, Lines::Keep, limits::FIELD_VALUE),
            inline: field.layout == FieldLayout::Cell,
        }
    }
}

/// The text escaped and cut, and never empty.
fn fit(text: &str, lines: Lines, limit: usize) -> String {
    filled(&cut_middle(&escape(text, lines), limit)).to_owned()
}

fn filled(text: &str) -> &str {
    if text.is_empty() { FILLER } else { text }
}

fn shade(colour: Colour) -> u32 {
    match colour {
        Colour::Good => 0x2e_a0_43,
        Colour::Warning => 0xe3_b3_41,
        Colour::Bad => 0xda_36_33,
        Colour::Neutral => 0x8b_94_9e,
    }
}

/// ISO 8601 in milliseconds; none for a time that only a broken clock gives.
fn timestamp(at: Timestamp) -> Option<String> {
    (at >= Timestamp::UNIX_EPOCH).then(|| format!("{at:.3}"))
}
