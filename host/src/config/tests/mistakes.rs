//! Every mistake on its own, with its line, its path and its remedy; then all of them in one file.

use pihook_core::absence::Policy;

use super::*;

/// A part of a file with one mistake, and what is said of it.
struct Mistake {
    /// The top-level key that it belongs to.
    section: &'static str,
    /// What stands below that key, or beside it.
    text: &'static str,
    /// The line within `text`, from 0; the key itself is the line before.
    line: usize,
    path: &'static str,
    what: &'static str,
    remedy: &'static str,
}

const fn of(
    section: &'static str,
    text: &'static str,
    line: usize,
    path: &'static str,
    what: &'static str,
    remedy: &'static str,
) -> Mistake {
    Mistake { section, text, line, path, what, remedy }
}

/// In a list, `[_]` stands for the item's index, which is another one in the file that has them all.
#[rustfmt::skip]
const MISTAKES: &[Mistake] = &[
    // The file's own keys. Their text is a line of its own.
    of("", "servces: []", 0, "servces", "the key `servces` is not known here", "did you mean `services`?"),
    of("", "banana: 1", 0, "banana", "the key `banana` is not known here", "known here: data_dir, maintenance_flag"),
    of("", "\"a.b\\n\": 1", 0, "[\"a.b \"]", "the key `a.b\\n` is not known here", "known here"),
    of("", "data_dir: 7", 0, "data_dir", "expected text, found a number", "put it in quotes"),
    of("", "maintenance_flag: ''", 0, "maintenance_flag", "this is not a path", "the path of a file"),
    // The dashboard.
    of("dashboard", "  listen: 8420", 0, "dashboard.listen", "expected text, found a number", "put it in quotes"),
    of("dashboard", "  listen: pi.lan:80", 0, "dashboard.listen", "`pi.lan:80` is not an address", "`127.0.0.1:8420`"),
    of("dashboard", "  auth: { user: a }", 0, "dashboard.auth", "`password` is missing", "PIHOOK_PASSWORD"),
    of("dashboard", "  auth: { user: 'a:b', password: c }", 0, "dashboard.auth.user", "cannot be a user's name", "without a colon"),
    of("dashboard", "  auth: { user: a, password: '' }", 0, "dashboard.auth.password", "the password is empty", "password:"),
    of("dashboard", "  auth: yes", 0, "dashboard.auth", "expected a mapping or `none`", "`none`, or"),
    of("dashboard", "  listen: 0.0.0.0:8420", 0, "dashboard.listen", "everybody who reaches this address", "`auth: none`"),
    of("dashboard", "  public_badges: sure", 0, "dashboard.public_badges", "expected `true` or `false`", "write `true`"),
    of("dashboard", "  auth: { user: a, password_hash: hunter2 }", 0, "dashboard.auth.password_hash", "this is no hash of a password", "`pihook hash-password`"),
    of("dashboard", "  auth: { user: a, password: b, password_hash: c }", 0, "dashboard.auth.password_hash", "stands here twice", "keep one"),
    of("dashboard", "  hosts: pi.lan", 0, "dashboard.hosts", "expected a list", "`[pi.lan]`"),
    of("dashboard", "  hosts: ['http://pi.lan/']", 0, "dashboard.hosts[0]", "`http://pi.lan/` is not a host's name", "without"),
    of("dashboard", "  base_path: pihook", 0, "dashboard.base_path", "`pihook` is not a path", "`/pihook`"),
    of("dashboard", "  trusted_proxies: [caddy]", 0, "dashboard.trusted_proxies[0]", "`caddy` is not an IP address", "`127.0.0.1`"),
    of("dashboard", "  tls: { certificate: a.pem }", 0, "dashboard.tls", "`key` is missing", "certificate:"),
    of("dashboard", "  tls: yes", 0, "dashboard.tls", "expected a mapping", "certificate, key"),
    // History.
    of("history", "  keep_checks: 30", 0, "history.keep_checks", "the duration `30` has no unit", "`30s` for seconds"),
    of("history", "  keep_checks: 1h", 0, "history.keep_checks", "`1h` is too little", "from `1d` to"),
    of("history", "  keep_checks: 20d\n  keep_rollups: 10d", 1, "history.keep_rollups", "would go before the checks", "at least as long as"),
    of("history", "  commit_every: soon", 0, "history.commit_every", "`soon` is not a duration", "such as `500ms`, `90s`"),
    of("history", "  weekly_report: [dicsord]", 0, "history.weekly_report[0]", "there is no sink `dicsord`", "did you mean `discord`?"),
    of("history", "  weekly_report: [discord, discord]", 0, "history.weekly_report[1]", "`discord` stands here twice", "keep one"),
    of("history", "  weekly_report: discord", 0, "history.weekly_report", "expected a list, found text", "a list of sinks, such as `[discord]`"),
    // Defaults.
    of("defaults", "  interval: 500ms", 0, "defaults.interval", "`500ms` is too little", "from `1s` to `30d`"),
    of("defaults", "  retries: 11", 0, "defaults.retries", "`11` is too much", "from 0 to 10"),
    of("defaults", "  retries: -1", 0, "defaults.retries", "`-1` is not a count", "a whole number from 0 to 10"),
    of("defaults", "  retries: two", 0, "defaults.retries", "expected a number, found text", "a whole number from 0 to 10"),
    of("defaults", "  recover_after: 0", 0, "defaults.recover_after", "`0` is too little", "from 1 to 100"),
    of("defaults", "  read_timeout: 2m", 0, "defaults.read_timeout", "`2m` is longer than the interval `1m`", "a longer interval"),
    of("defaults", "  conect_timeout: 1s", 0, "defaults.conect_timeout", "not known here", "did you mean `connect_timeout`?"),
    of("defaults", "  flap: { window: 2 }", 0, "defaults.flap.window", "`2` is too little", "from 3 to 60"),
    of("defaults", "  flap: { window: 61 }", 0, "defaults.flap.window", "`61` is too much", "from 3 to 60"),
    of("defaults", "  flap: { high: 50 }", 0, "defaults.flap.high", "the share `50` has no unit", "`50%`"),
    of("defaults", "  flap: { low: half }", 0, "defaults.flap.low", "`half` is not a share", "such as `50%`"),
    of("defaults", "  flap: { low: 0% }", 0, "defaults.flap.low", "`0%` is too little", "from `1%` to `99%`"),
    of("defaults", "  flap: { high: 30%, low: 30% }", 0, "defaults.flap.low", "`low`, 30%, is not below `high`, 30%", "a lower `low`"),
    of("defaults", "  flap: { high: 20% }", 0, "defaults.flap.high", "`low`, 25%, is not below `high`, 20%", "a higher `high`"),
    of("defaults", "  flap: { hihg: 20% }", 0, "defaults.flap.hihg", "not known here", "did you mean `high`?"),
    of("defaults", "  flap: often", 0, "defaults.flap", "expected a mapping, found text", "window, high, low"),
    // The ladder.
    of("escalation", "  - { severity: info }", 0, "escalation[_]", "`after` is missing", "`after: 3`"),
    of("escalation", "  - { after: 0 }", 0, "escalation[_].after", "`0` is too little", "from 1 to 1000"),
    of("escalation", "  - { after: 3x }", 0, "escalation[_].after", "`3x` is not a duration", "`90s`"),
    of("escalation", "  - { after: 5, severity: crtical }", 0, "escalation[_].severity", "there is no severity `crtical`", "did you mean `critical`?"),
    of("escalation", "  - { after: 7, sinks: [dicsord] }", 0, "escalation[_].sinks[0]", "there is no sink `dicsord`", "did you mean `discord`?"),
    of("escalation", "  - { after: 8, sinks: [discord, discord] }", 0, "escalation[_].sinks[1]", "`discord` stands here twice", "keep one"),
    of("escalation", "  - { after: 9, mention: role:admins }", 0, "escalation[_].mention", "`role:admins` is nobody to mention", "`role:ID`"),
    of("escalation", "  - { after: 20 }\n  - { after: 10m }\n  - { after: 20 }", 2, "escalation[_].after", "not later than one before", "more than 20 failures"),
    of("escalation", "  - { after: 50m }\n  - { after: 40m }", 1, "escalation[_].after", "not later than one before", "more than `50m`"),
    // Zones.
    of("zones", "  far away: {}", 0, "zones[\"far away\"]", "`far away` cannot be a name here", "letters, digits, `-` and `_`"),
    of("zones", "  outside: { canaries: [] }", 0, "zones.outside.canaries", "1 to 10 canaries, and this has 0", "leave the key out"),
    of("zones", "  inside: true", 0, "zones.inside", "expected a mapping, found `true` or `false`", "canaries"),
    of("zones", "  z1: { canaries: https://1.1.1.1 }", 0, "zones.z1.canaries", "expected a list, found text", "https://1.1.1.1"),
    of("zones", "  z2: { canaries: [1.1.1.1] }", 0, "zones.z2.canaries[0]", "`1.1.1.1` is neither a web address nor a host with a port", "192.168.1.1:53"),
    of("zones", "  z3: { canaries: ['ftp://a/'] }", 0, "zones.z3.canaries[0]", "neither a web address", "192.168.1.1:53"),
    of("zones", "  z4: { canaries: ['https://me:pw@a/'] }", 0, "zones.z4.canaries[0]", "has a login in it", "192.168.1.1:53"),
    of("zones", "  z5: { canaries: ['a:80', 'A:80'] }", 0, "zones.z5.canaries[1]", "`A:80` stands here twice", "keep one"),
    of("zones", "  z6: { canaries: ['${CANARY}'] }", 0, "zones.z6.canaries[0]", "what `${…}` brings in is secret", "write the value out"),
    of("zones", "  z7: { canaries: [a:1, a:2, a:3, a:4, a:5, a:6, a:7, a:8, a:9, a:10, a:11] }", 0, "zones.z7.canaries", "and this has 11", "leave the key out"),
    of("zones", "  z8: { canarys: [a:1] }", 0, "zones.z8.canarys", "not known here", "did you mean `canaries`?"),
    // Sinks.
    of("sinks", "  p1: { type: webhook, url: 'http://h/', gather: 11m }", 0, "sinks.p1.gather", "`11m` is too much", "from `0ms` to `10m`"),
    of("sinks", "  p2: { type: webhook, url: 'http://h/', max_per_minute: 0 }", 0, "sinks.p2.max_per_minute", "`0` is too little", "from 1 to 600"),
    of("sinks", "  p3: { type: webhook, url: 'http://h/', quiet_hours: at night }", 0, "sinks.p3.quiet_hours", "expected a mapping, found text", "daily:"),
    of("sinks", "  p4: { type: webhook, url: 'http://h/', quiet_hours: { timezone: UTC } }", 0, "sinks.p4.quiet_hours", "nothing says when", "`daily: \"22:00-07:00\"`"),
    of("sinks", "  p5: { type: webhook, url: 'http://h/', quiet_hours: { daily: '22:00' } }", 0, "sinks.p5.quiet_hours.daily", "`22:00` is no span of times", "such as `03:00-05:00`"),
    of("sinks", "  p6: { type: webhook, url: 'http://h/', quiet_hours: { daily: '00:00-24:00' } }", 0, "sinks.p6.quiet_hours.daily", "these quiet hours never end", "an end"),
    of("sinks", "  p7: { type: webhook, url: 'http://h/', quiet_hours: { daily: '22:00-07:00', timezone: Europe/Belin } }", 0, "sinks.p7.quiet_hours.timezone", "there is no time zone `Europe/Belin`", "did you mean `Europe/Berlin`?"),
    of("sinks", "  p8: { type: webhook, url: 'http://h/', quiet_hours: { daily: '22:00-07:00', monthly: 1 } }", 0, "sinks.p8.quiet_hours.monthly", "the key `monthly` is not known here", "daily"),
    of("sinks", "  p9: { type: webhook, url: 'http://h/', fallback_after: 5m }", 0, "sinks.p9.fallback_after", "nothing says who is told then", "another sink as `fallback`"),
    of("sinks", "  q1: { type: webhook, url: 'http://h/', fallback: dicsord }", 0, "sinks.q1.fallback", "there is no sink `dicsord`", "did you mean `discord`?"),
    of("sinks", "  q2: { type: webhook, url: 'http://h/', fallback: q2 }", 0, "sinks.q2.fallback", "`q2 → q2` goes round in a circle", "does not lead back here"),
    of("sinks", "  q3: { type: webhook, url: 'http://h/', fallback: q4 }\n  q4: { type: webhook, url: 'http://h/', fallback: q3 }", 0, "sinks.q3.fallback", "`q3 → q4 → q3` goes round in a circle", "does not lead back here"),
    of("sinks", "  q5: { type: webhook, url: 'http://h/', fallback: discord, fallback_after: 0s }", 0, "sinks.q5.fallback_after", "`0s` is too little", "from `1s` to `7d`"),
    of("sinks", "  q6: { type: webhook, url: 'http://h/', gathr: 5s }", 0, "sinks.q6.gathr", "not known here", "did you mean `gather`?"),
    of("sinks", "  a: { url: 'https://discord.com' }", 0, "sinks.a", "`type` is missing", "`type: discord`"),
    of("sinks", "  b: { type: telegram, token: '1:abcdefgh' }", 0, "sinks.b", "`chat` is missing", "a chat's number"),
    of("sinks", "  tg2: { type: telegram, token: x, chat: 5 }", 0, "sinks.tg2.token", "this is not a bot's token", "@BotFather"),
    of("sinks", "  tg3: { type: telegram, token: '1:abcdefgh', chat: home }", 0, "sinks.tg3.chat", "this is not a chat", "@my_channel"),
    of("sinks", "  tg4: { type: telegram, token: '1:abcdefgh', chat: 5, topic: x }", 0, "sinks.tg4.topic", "this is not a topic", "such as `7`"),
    of("sinks", "  tg5: { type: telegram, token: '1:abcdefgh', chat: 5, chats: { info: 5/x } }", 0, "sinks.tg5.chats.info", "this is not a chat", "/7"),
    of("sinks", "  n1: { type: ntfy, topic: 'a b' }", 0, "sinks.n1.topic", "does not take this as a topic", "up to 64 letters"),
    of("sinks", "  n2: { type: ntfy, topic: a, user: b }", 0, "sinks.n2", "half a login", "either `token`"),
    of("sinks", "  n3: { type: ntfy, topic: a, server: ntfy.sh }", 0, "sinks.n3.server", "not the address of a server", "https://ntfy.sh"),
    of("sinks", "  w1: { type: webhook, url: nowhere }", 0, "sinks.w1.url", "this is not a web address", "such as"),
    of("sinks", "  w2: { type: webhook, url: 'http://a/', secret: short }", 0, "sinks.w2.secret", "can be guessed", "openssl rand"),
    of("sinks", "  w3: { type: webhook, url: 'http://a/', headers: { Host: b } }", 0, "sinks.w3.headers.Host", "cannot be set here", "such as"),
    of("sinks", "  w4: { type: discord, url: 'https://discord.com/api/webhooks/1/a', silent_recoveries: 1 }", 0, "sinks.w4.silent_recoveries", "expected `true` or `false`", "write"),
    of("sinks", "  m1: { type: email, server: a.org, from: a@b.org }", 0, "sinks.m1", "`to` is missing", "[you@example.org]"),
    of("sinks", "  m2: { type: email, server: 'a b', from: a@b.org, to: [c@d.org] }", 0, "sinks.m2.server", "not the name of a mail server", "smtp.example.org"),
    of("sinks", "  m3: { type: email, server: a.org, from: a@b.org, to: [c@d.org], tls: yes please }", 0, "sinks.m3.tls", "`yes please` is no way to encrypt mail", "`starttls`, `implicit`"),
    of("sinks", "  m4: { type: email, server: a.org, from: a@b.org, to: [c@d.org], user: me }", 0, "sinks.m4", "half a login", "`user` and `password`"),
    of("sinks", "  m5: { type: email, server: a.org, from: a@b.org, to: [c@d.org], tls: none, user: me, password: x }", 0, "sinks.m5", "could read the password", "`tls: implicit`"),
    of("sinks", "  m6: { type: email, server: a.org, from: a@b.org, to: [] }", 0, "sinks.m6.to", "these are 0", "[you@example.org]"),
    of("sinks", "  m7: { type: email, server: a.org, from: a@b.org, to: [c@d.org], port: 70000 }", 0, "sinks.m7.port", "70000", "65535"),
    of("sinks", "  x1: { type: exec, command: [/bin/true] }", 0, "sinks.x1", "nobody has allowed that", "`allow: exec`"),
    of("sinks", "  x2: { type: exec, command: [/bin/true], allow: yes }", 0, "sinks.x2.allow", "allows nothing that is known", "`allow: exec`"),
    of("sinks", "  x3: { type: exec, command: [siren], allow: exec }", 0, "sinks.x3.command", "by its absolute path", "/usr/local/bin/notify"),
    of("sinks", "  x4: { type: exec, command: /bin/true, allow: exec }", 0, "sinks.x4.command", "expected a list, found text", "/usr/local/bin/notify"),
    of("sinks", "  x5: { type: exec, command: [/bin/true, '${WEBHOOK}'], allow: exec }", 0, "sinks.x5.command[1]", "what `${…}` brings in is secret", "write the value out"),
    of("sinks", "  x6: { type: exec, command: [/bin/true], allow: exec, timeout: 2m }", 0, "sinks.x6.timeout", "`2m`", "from"),
    of("sinks", "  c: { type: disscord }", 0, "sinks.c.type", "there is no sink type `disscord`", "did you mean `discord`?"),
    of("sinks", "  d: { type: discord }", 0, "sinks.d", "`url` is missing", "DISCORD_WEBHOOK_URL"),
    of("sinks", "  e: { type: discord, url: '${NOT_SET}' }", 0, "sinks.e.url", "variable `NOT_SET` is not set", "${file:PATH}"),
    of("sinks", "  f: { type: discord, url: '${file:none}' }", 0, "sinks.f.url", "the file `none` cannot be read", "a file that pihook may read"),
    of("sinks", "  g: { type: discord, url: 'http://discord.com/api/webhooks/1/a' }", 0, "sinks.g.url", "starts with `https://`", "https://discord.com/api/webhooks/"),
    of("sinks", "  h: { type: discord, url: 'https://discord.com/channels/1/2' }", 0, "sinks.h.url", "not the address of a Discord webhook", "https://discord.com/api/webhooks/"),
    of("sinks", "  i: { type: discord, url: 'https://discord.com/api/webhooks/1/a?wait=true' }", 0, "sinks.i.url", "nothing after its path", "`thread_id:`"),
    of("sinks", "  j: { type: discord, url: '${WEBHOOK}', thread_id: general }", 0, "sinks.j.thread_id", "not a thread's ID", "the number"),
    of("sinks", "  k: { type: discord, url: '${WEBHOOK}', formatter: a b }", 0, "sinks.k.formatter", "`a b` is no plugin's id", "`detailed`"),
    of("sinks", "  l: { type: discord, url: '${A-B}' }", 0, "sinks.l.url", "names no environment variable", "`$$` for a dollar sign"),
    of("sinks", "  m: { type: discord, url: '${A' }", 0, "sinks.m.url", "never closed", "`$$` for a dollar sign"),
    // Plugins.
    of("plugins", "  http: { sha256: 0000000000000000000000000000000000000000000000000000000000000000 }", 0, "plugins.http.sha256", "no `file`", "file: plugins/my_check.wasm"),
    of("plugins", "  m: { file: m.wasm, allow: { machine: [sytem] } }", 0, "plugins.m.allow.machine[0]", "`sytem` is nothing that the machine tells", "filesystems, system, processes, units"),
    of("plugins", "  b: { file: b.wasm, sha256: abc }", 0, "plugins.b.sha256", "not a SHA-256 digest", "64 hexadecimal digits"),
    of("plugins", "  c: { file: c.wasm, memory: 32 MB }", 0, "plugins.c.memory", "`32 MB` is not a size", "`32MiB`"),
    of("plugins", "  d: { file: d.wasm, allow: { files: [etc/fstab] } }", 0, "plugins.d.allow.files[0]", "`etc/fstab` is not a path to allow: it does not begin with `/`", "`/proc/mdstat`"),
    of("plugins", "  n: { file: n.wasm, allow: { files: [/proc/../root] } }", 0, "plugins.n.allow.files[0]", "`..` could lead anywhere", "`/proc/mdstat`"),
    of("plugins", "  o: { file: o.wasm, allow: { files: /proc/mdstat } }", 0, "plugins.o.allow.files", "expected a list, found text", "such as `[/proc/mdstat]`"),
    of("plugins", "  e: { file: e.wasm, allow: { http: ['http://a/b'] } }", 0, "plugins.e.allow.http[0]", "is not a host to allow", "`host:port`"),
    of("plugins", "  f: { file: f.wasm, allow: { commands: [ls] } }", 0, "plugins.f.allow.commands", "expected a mapping from names, found a list", "smart: [smartctl"),
    of("plugins", "  g: { file: g.wasm, allow: { commands: { ls: ls -l } } }", 0, "plugins.g.allow.commands.ls", "expected a list, found text", "smart: [smartctl"),
    of("plugins", "  h: { file: h.wasm, allow: { commands: { ls: [] } } }", 0, "plugins.h.allow.commands.ls", "no program to run", "smart: [smartctl"),
    of("plugins", "  i: { file: i.wasm, allow: { commands: { ls: [ls, 1] } } }", 0, "plugins.i.allow.commands.ls[1]", "expected text, found a number", "put it in quotes"),
    of("plugins", "  j: { file: j.wasm, allow: { commands: { ls: [bin/ls] } } }", 0, "plugins.j.allow.commands.ls", "`bin/ls` is a relative path", "an absolute path"),
    of("plugins", "  k: { file: k.wasm, allow: { commands: { ls: [ls, '${WEBHOOK}'] } } }", 0, "plugins.k.allow.commands.ls[1]", "what `${…}` brings in is secret", "write the value out"),
    of("plugins", "  l: { file: l.wasm, allow: { commands: { l s: [ls] } } }", 0, "plugins.l.allow.commands[\"l s\"]", "`l s` cannot be a name here", "letters, digits"),
    of("plugins", "  n: { allow: { sockets: [docker.sock] } }", 0, "plugins.n.allow.sockets[0]", "`docker.sock` is not an absolute path", "`/run/docker.sock`"),
    of("plugins", "  o: { allow: { sockets: /run/docker.sock } }", 0, "plugins.o.allow.sockets", "expected a list, found text", "[/run/docker.sock]"),
    // Services.
    of("services", "  - { url: 'http://a/' }", 0, "services[_]", "`name` is missing", "`name: Jellyfin`"),
    of("services", "  - { name: N1 }", 0, "services[_]", "nothing to check", "`url: http://…` for a web page"),
    of("services", "  - { name: 12, url: 'http://a/' }", 0, "services[_].name", "expected text, found a number", "put it in quotes"),
    of("services", "  - { name: '日本', url: 'http://a/' }", 0, "services[_].name", "no letter or digit", "`id: my-service`"),
    of("services", "  - { name: \"N\\n2\", url: 'http://a/' }", 0, "services[_].name", "this cannot be a name", "1 to 100 characters"),
    of("services", "  - { name: N3, url: 'http://a/' }\n  - { name: N3, id: n3b, url: 'http://a/' }", 1, "services[_].name", "`N3` is the name of `services[", "no other service has"),
    of("services", "  - { name: N 4, url: 'http://a/' }\n  - { name: n-4, url: 'http://a/' }", 1, "services[_].name", "the id `n-4` is that of `services[", "`id: n-4-2`"),
    of("services", "  - { name: N5, id: Not Good, url: 'http://a/' }", 0, "services[_].id", "`Not Good` cannot be an id", "such as `not-good`"),
    of("services", "  - { name: N6, zone: extrenal, url: 'http://a/' }", 0, "services[_].zone", "there is no zone `extrenal`", "did you mean `external`?"),
    of("services", "  - { name: N7, url: 'ftp://a/' }", 0, "services[_].url", "starts with `http://` or `https://`", "`http://192.168.1.10:8096/health`"),
    of("services", "  - { name: N8, url: '192.168.1.10' }", 0, "services[_].url", "this is not a web address", "`http://192.168.1.10:8096/health`"),
    of("services", "  - { name: N9, url: 'http://a/', check: disk }", 0, "services[_].url", "goes with the check `http` alone", "below `settings:`"),
    of("services", "  - name: N10\n    url: http://a/\n    settings:\n      url: http://b/", 1, "services[_].url", "stands here and in `settings`", "keep one of the two"),
    of("services", "  - name: N11\n    check: http\n    expect:\n      status: 200", 2, "services[_].expect", "the key `expect` is not known here", "go below `settings:`"),
    of("services", "  - name: N12\n    check: http\n    settings: []", 2, "services[_].settings", "expected a mapping, found a list", "settings: {"),
    of("services", "  - name: N13\n    check: http\n    settings:\n      headers:\n        X: ${UNKNOWN}", 4, "services[_].settings.headers.X", "`UNKNOWN` is not set", "where pihook is started"),
    of("services", "  - { name: N14, check: 'no such', settings: {} }", 0, "services[_].check", "`no such` is no plugin's id", "such as `http`"),
    of("services", "  - { name: N15, url: 'http://a/', interval: 60 }", 0, "services[_].interval", "the duration `60` has no unit", "`60s`"),
    of("services", "  - { name: N16, url: 'http://a/', interval: 5s, read_timeout: 6s }", 0, "services[_].read_timeout", "`6s` is longer than the interval `5s`", "a longer interval"),
    of("services", "  - { name: N17, url: 'http://a/', intervall: 5s }", 0, "services[_].intervall", "not known here", "did you mean `interval`?"),
    of("services", "  - { name: N18, url: 'http://a/', escalation: [] }", 0, "services[_].escalation", "a ladder has 1 to 10 levels, and this has 0", "after: 3"),
    of("services", "  - { name: N19, url: 'http://a/', flap: { window: many } }", 0, "services[_].flap.window", "expected a number, found text", "from 3 to 60"),
    of("services", "  - { name: N23, url: 'http://a/', depends_on: [Fin] }", 0, "services[_].depends_on[0]", "there is no service `Fin`", "did you mean `Fine`?"),
    of("services", "  - { name: N24, url: 'http://a/', depends_on: Fine }", 0, "services[_].depends_on", "expected a list, found text", "such as `[Router]`"),
    of("services", "  - { name: N25, url: 'http://a/', depends_on: [N25] }", 0, "services[_].depends_on[0]", "cannot depend on itself", "remove it"),
    of("services", "  - { name: N26, url: 'http://a/', depends_on: [Fine, Fine] }", 0, "services[_].depends_on[1]", "`Fine` stands here twice", "keep one"),
    of("services", "  - { name: N27, url: 'http://a/', depends_on: [Fine, fine] }", 0, "services[_].depends_on[1]", "by its name and by its id", "keep one"),
    of("services", "  - { name: N28, url: 'http://a/', depends_on: [N29] }\n  - { name: N29, url: 'http://a/', depends_on: [N28] }", 0, "services[_].depends_on", "in a circle: N28 → N29 → N28", "remove one"),
    of("services", "  - just text", 0, "services[_]", "expected a mapping, found text", "a mapping with the keys name"),
    of("services", "  - { name: N20, url: 'http://a/', name: N20 }", 0, "services[_].name", "`name` stands here for the second time, first in line", "keep one of the two"),
    of("services", "  - { name: N21, url: 'http://a/', <<: 5 }", 0, "services[_].<<", "`<<` merges mappings", "`<<: *name`"),
    of("services", "  - { name: N22, url: 'http://a/', settings: { headers: { '${X}': 1 } } }", 0, "services[_].settings.headers[\"${X}\"]", "works in values only", "write the key out"),
    of("maintenance", "  - { daily: '03:00-04:00' }", 0, "maintenance[_]", "`name` is missing", "`name: backups`"),
    of("maintenance", "  - { name: W1 }", 0, "maintenance[_]", "nothing says when", "one of `daily`"),
    of("maintenance", "  - { name: W2, daily: '03:00-04:00', weekly: 'Sun 03:00-04:00' }", 0, "maintenance[_]", "this says twice when", "one of `daily`"),
    of("maintenance", "  - { name: W3, weekly: 'Sum 03:00-04:00' }", 0, "maintenance[_].weekly", "there is no weekday `Sum`", "did you mean `Sun`?"),
    of("maintenance", "  - { name: W4, daily: '03:00-03:00' }", 0, "maintenance[_].daily", "`03:00-03:00` ends when it begins", "`00:00-24:00`"),
    of("maintenance", "  - { name: W5, daily: '3-4' }", 0, "maintenance[_].daily", "`3-4` is no span of times", "such as `03:00-05:00`"),
    of("maintenance", "  - { name: W6, daily: '24:00-01:00' }", 0, "maintenance[_].daily", "cannot begin at 24:00", "`00:00`"),
    of("maintenance", "  - { name: W7, daily: '03:00-04:00', timezone: Europe/Berlim }", 0, "maintenance[_].timezone", "there is no time zone `Europe/Berlim`", "did you mean `Europe/Berlin`?"),
    of("maintenance", "  - { name: W8, from: '2026-12-01T18:00', until: '2026-12-01T17:00' }", 0, "maintenance[_].until", "this is not after `from`", "a later time"),
    of("maintenance", "  - { name: W9, from: '2026-12-01T18:00' }", 0, "maintenance[_]", "`until` is missing", "`until: 2026-12-01T18:00`"),
    of("maintenance", "  - { name: W10, from: soon, until: '2026-12-01T18:00:00Z' }", 0, "maintenance[_].from", "`soon` is no time", "by the clock of `timezone`"),
    of("maintenance", "  - { name: W11, daily: '03:00-04:00', services: [Fin] }", 0, "maintenance[_].services[0]", "there is no service `Fin`", "did you mean `Fine`?"),
    of("maintenance", "  - { name: W12, daily: '03:00-04:00', zones: [locall] }", 0, "maintenance[_].zones[0]", "there is no zone `locall`", "did you mean `local`?"),
    of("maintenance", "  - { name: W13, daily: '03:00-04:00', services: [] }", 0, "maintenance[_].services", "this list is empty", "leave the key out"),
    of("maintenance", "  - { name: W14, monthly: 'frist Sun 03:00-04:00' }", 0, "maintenance[_].monthly", "no such day of a month as `frist`", "did you mean `first`?"),
    of("maintenance", "  - { name: W15, monthly: '32 03:00-04:00' }", 0, "maintenance[_].monthly", "`32` is no day of a month", "such as `1 03:00-05:00`"),
    of("maintenance", "  - { name: W16, daily: '03:00-04:00' }\n  - { name: W16, daily: '05:00-06:00' }", 1, "maintenance[_].name", "is the name of another window too", "a name of its own"),
];

/// What a file needs around a mistake.
const NEEDED: [(&str, &str); 3] = [
    ("zones", "  local: {}\n  external: {}"),
    ("sinks", "  discord: { type: discord, url: '${WEBHOOK}' }"),
    ("services", "  - { name: Fine, url: 'http://fine/' }"),
];

/// A file of these mistakes, with the line and the path of each. Keys that may stand once only must not repeat.
fn file_of(mistakes: &[&Mistake]) -> (String, Vec<(usize, String)>) {
    let mut lines: Vec<String> = Vec::new();
    let mut places = vec![(0, String::new()); mistakes.len()];
    for section in [
        "",
        "dashboard",
        "history",
        "defaults",
        "escalation",
        "zones",
        "sinks",
        "plugins",
        "services",
        "maintenance",
    ] {
        let needed = NEEDED.iter().find(|(name, _)| *name == section).map(|(_, text)| *text);
        let of_section: Vec<_> =
            mistakes.iter().enumerate().filter(|(_, mistake)| mistake.section == section).collect();
        if needed.is_none() && of_section.is_empty() {
            continue;
        }
        if !section.is_empty() {
            lines.push(format!("{section}:"));
        }
        lines.extend(needed.unwrap_or_default().lines().map(str::to_owned));
        let mut items = needed.map_or(0, |text| text.lines().filter(|line| line.starts_with("  - ")).count());
        for (index, mistake) in of_section {
            let start = lines.len() + 1;
            let before = mistake.text.lines().take(mistake.line + 1);
            let item = items + before.filter(|line| line.starts_with("  - ")).count().saturating_sub(1);
            items += mistake.text.lines().filter(|line| line.starts_with("  - ")).count();
            lines.extend(mistake.text.lines().map(str::to_owned));
            places[index] = (start + mistake.line, mistake.path.replace("[_]", &format!("[{item}]")));
        }
    }
    (lines.join("\n"), places)
}

#[track_caller]
fn assert_told(problems: &Problems, mistake: &Mistake, (line, path): &(usize, String), text: &str) {
    let told = problems.iter().any(|problem| {
        problem.line == *line
            && problem.path == *path
            && problem.what.contains(mistake.what)
            && problem.remedy.contains(mistake.remedy)
    });
    assert!(
        told,
        "line {line}, {path}: {}; {}\nof\n{text}\nnot in\n{problems}",
        mistake.what, mistake.remedy
    );
}

#[test]
fn each_mistake_is_told_with_its_line_its_path_and_its_remedy() {
    for mistake in MISTAKES {
        let (text, places) = file_of(&[mistake]);
        let problems = read(&text).unwrap_err();
        assert_told(&problems, mistake, &places[0], &text);
        assert_eq!(problems.len(), 1, "{text}\n{problems}");
    }
}

#[test]
fn all_of_them_are_told_at_once_by_line() {
    // One of each key that can stand only once; lists and named entries take them all.
    let mut taken = std::collections::BTreeSet::new();
    let mistakes: Vec<_> = MISTAKES
        .iter()
        .filter(|mistake| {
            let keys = mistake.text.lines().map(|line| line.split(':').next().unwrap_or_default());
            let keys: Vec<_> = keys.map(|key| (mistake.section, key)).collect();
            let lists = ["escalation", "services", "maintenance"].contains(&mistake.section);
            let fresh = lists || keys.iter().all(|key| !taken.contains(key));
            taken.extend(keys);
            // A ladder has ten levels at most, and a level that is read changes what the next one may be.
            fresh && (mistake.section != "escalation" || mistake.text.lines().count() == 1)
        })
        .collect();
    assert!(mistakes.len() >= 60, "{}", mistakes.len());
    let (text, places) = file_of(&mistakes);
    let problems = read(&text).unwrap_err();
    for (mistake, place) in mistakes.iter().zip(&places) {
        assert_told(&problems, mistake, place, &text);
    }
    assert_eq!(problems.len(), mistakes.len(), "{problems}");
    assert!(problems.iter().map(|problem| problem.line).is_sorted());
    assert!(problems.partial().is_some());
}

#[test]
fn a_problem_reads_file_line_path_what_and_remedy() {
    let problems = read("services:\n  - name: A\n    url: http://a/\n    intervall: 5s").unwrap_err();
    let expected = "services.yaml:4: services[0].intervall: the key `intervall` is not known here; did you mean `interval`?";
    assert_eq!(problems.to_string(), expected);
}

#[test]
fn a_file_that_is_not_yaml_is_told_with_line_and_column() {
    for (source, line, what) in [
        ("services: []\na: b: c\n", 2, "not YAML from column"),
        ("services: []\n\ta: 1\n", 2, "not YAML from column"),
        ("a: [1, 2\nb: 3\n", 2, "not YAML from column"),
        ("a: *b\n", 1, "not YAML from column"),
        ("a: 1\n---\nb: 2\n", 2, "a second document begins here"),
        ("a: !b c\n", 1, "a YAML tag (`!…`) means nothing here"),
        ("a: !!int b\n", 1, "this is not plain YAML data"),
        ("just text\n", 1, "expected a mapping, found text"),
        ("- a\n", 1, "expected a mapping, found a list"),
    ] {
        let problems = read(source).unwrap_err();
        let first = problems.iter().next().unwrap();
        assert!(first.what.contains(what) && first.line == line, "{source:?}: {problems}");
    }
    let problems = read_with(b"a: 1\nb: \xff\n", &[], &[]).unwrap_err();
    assert_eq!(problems.to_string(), "services.yaml:2: this is not UTF-8; save the file in UTF-8");
}

#[test]
fn an_emptied_file_is_not_one_that_watches_nothing() {
    for source in ["", "\n# all gone\n", "services:\n", "data_dir: x\n"] {
        let problems = read(source).unwrap_err().to_string();
        assert!(problems.contains("there is no list of services; a list of services"), "{problems}");
    }
}

#[test]
fn a_watchdog_needs_an_address_of_the_web_which_is_never_shown() {
    for (watchdog, expected) in [
        ("{}", "watchdog: `url` is missing"),
        ("{ url: '${HOOK}' }", "watchdog.url: this is not a web address"),
        ("{ url: 'ftp://geheim.example/' }", "watchdog.url: an address of the web starts with"),
        ("{ url: 'https://hc.example/x', interval: 1s }", "watchdog.interval: "),
    ] {
        let text = format!("services: []\nwatchdog: {watchdog}\n");
        let problems = read_with(text.as_bytes(), &[("HOOK", "geheim")], &[]).unwrap_err().to_string();
        assert!(problems.contains(&format!("services.yaml:2: {expected}")), "{problems}");
        assert!(!problems.contains("geheim"), "{problems}");
    }
}

#[test]
fn a_startup_message_is_one_of_three_words() {
    for (typed, expected) in [
        ("nevr", "there is no start-up message `nevr`; did you mean `never`?"),
        ("sometimes", "there is no start-up message `sometimes`; one of always, problems, never"),
        ("[always]", "expected text, found a list"),
    ] {
        let problems = read(&format!("services: []\nstartup_message: {typed}\n")).unwrap_err().to_string();
        assert!(problems.contains(&format!("services.yaml:2: startup_message: {expected}")), "{problems}");
    }
    for policy in Policy::ALL {
        let config = read(&format!("services: []\nstartup_message: {}\n", policy.as_str())).unwrap();
        assert_eq!(config.startup_message, policy);
    }
    assert_eq!(read("services: []\n").unwrap().startup_message, Policy::Problems);
}
