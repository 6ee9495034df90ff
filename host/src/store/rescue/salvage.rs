//! Copies tables row by row, past what cannot be read.

use std::fmt;

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use tokio::time::Instant;

use crate::store::error::is_damage;

/// What is copied first, in this order: later ones refer to earlier ones.
const FIRST: &[&str] = &[
    "services",
    "states",
    "incidents",
    "alerts",
    "deliveries",
    "disabled_sinks",
    "kept",
    "heartbeats",
    "weeks",
    "rollups",
];
/// What is copied last, and only as long as there is time: the log of checks, of which the newest are not packed yet.
const LAST: [&str; 2] = ["checks", "archive"];
/// Made from the others.
const DERIVED: [&str; 2] = ["latest", "days"];
/// Rows of a transaction.
const TOGETHER: u64 = 10_000;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::store) struct Found {
    /// Checks, packed or not.
    pub(in crate::store) checks: u64,
    /// Rows of all else.
    pub(in crate::store) others: u64,
    /// Tables of which something could not be read.
    pub(in crate::store) torn: Vec<String>,
    /// Why the copying ended early.
    pub(in crate::store) ended: Option<String>,
}

impl Found {
    /// Nothing, and why.
    pub(super) fn nothing(why: &str) -> Self {
        Self { ended: Some(why.to_owned()), ..Self::default() }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} checks and {} other rows could be read", self.checks, self.others)?;
        if !self.torn.is_empty() {
            write!(f, ", something is missing of {}", self.torn.join(", "))?;
        }
        match &self.ended {
            Some(why) => write!(f, ", and then no more: {why}"),
            None => Ok(()),
        }
    }
}

/// Copies all that can be read of `old`.
pub(super) fn copy(old: &Connection, new: &Connection, until: Instant) -> Found {
    let mut found = Found::default();
    if let Err(error) = copy_tables(old, new, until, &mut found) {
        // Such as a disk that is full: what is there counts.
        found.ended = Some(error.to_string());
        let _none = new.execute_batch("ROLLBACK");
    }
    match mend(new) {
        Ok(packed) => found.checks += packed,
        Err(error) => tracing::error!(%error, "what was copied could not be put in order"),
    }
    found
}

fn copy_tables(
    old: &Connection,
    new: &Connection,
    until: Instant,
    found: &mut Found,
) -> rusqlite::Result<()> {
    // It is synced as a whole before anybody relies on it.
    new.pragma_update(None, "synchronous", "OFF")?;
    new.pragma_update(None, "foreign_keys", false)?;
    for table in in_order(tables(new)?) {
        // A hopeless table must not keep the others from being copied.
        let copied = match Table::open(old, new, &table) {
            Ok(mut copying) => {
                copying.run(LAST.contains(&table.as_str()).then_some(until))?;
                copying.report(found);
                continue;
            }
            Err(error) if is_damage(&error) => Err(error),
            // An older format had no such table.
            Err(_) => Ok(()),
        };
        if copied.is_err() {
            found.torn.push(table);
        }
    }
    Ok(())
}

fn tables(db: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = db.prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid",
    )?;
    statement.query_map([], |row| row.get(0))?.collect()
}

fn in_order(all: Vec<String>) -> Vec<String> {
    let named = |table: &str| FIRST.contains(&table) || LAST.contains(&table) || DERIVED.contains(&table);
    let between = all.iter().map(String::as_str).filter(|table| !named(table));
    let order = FIRST.iter().copied().chain(between).chain(LAST);
    order.filter(|table| all.iter().any(|known| known == table)).map(str::to_owned).collect()
}

/// A table on its way.
struct Table<'a> {
    old: &'a Connection,
    new: &'a Connection,
    name: String,
    /// The columns that both have.
    columns: String,
    insert: String,
    has_rowid: bool,
    copied: u64,
    torn: bool,
    ended: bool,
}

/// How reading a stretch of rows has ended.
enum Stretch {
    /// There are no more.
    End,
    /// What comes next is damaged.
    Damage,
    /// Time is up.
    Late,
}

impl<'a> Table<'a> {
    fn open(old: &'a Connection, new: &'a Connection, name: &str) -> rusqlite::Result<Self> {
        let known = columns(old, name)?;
        let wanted: Vec<_> =
            columns(new, name)?.into_iter().filter(|column| known.contains(column)).collect();
        if wanted.is_empty() {
            return Err(rusqlite::Error::QueryReturnedNoRows);
        }
        let has_rowid = old.prepare(&format!("SELECT rowid FROM \"{name}\"")).is_ok();
        let columns = wanted.join(", ");
        let places = vec!["?"; wanted.len()].join(", ");
        // A row that damage has made impossible, or that was copied already, is passed over.
        let insert = format!("INSERT OR IGNORE INTO \"{name}\" ({columns}) VALUES ({places})");
        Ok(Self {
            old,
            new,
            name: name.to_owned(),
            columns,
            insert,
            has_rowid,
            copied: 0,
            torn: false,
            ended: false,
        })
    }

    fn run(&mut self, until: Option<Instant>) -> rusqlite::Result<()> {
        self.new.execute_batch("BEGIN")?;
        if self.has_rowid {
            self.by_number(until)?;
        } else {
            self.inward()?;
        }
        self.new.execute_batch("COMMIT")
    }

    /// Newest first, past every gap.
    fn by_number(&mut self, until: Option<Instant>) -> rusqlite::Result<()> {
        let sql = format!(
            "SELECT rowid, {} FROM \"{}\" WHERE rowid < ?1 ORDER BY rowid DESC",
            self.columns, self.name
        );
        let mut below = i64::MAX;
        loop {
            match self.stretch(&sql, &mut below, until)? {
                Stretch::End => return Ok(()),
                Stretch::Late => {
                    self.ended = true;
                    return Ok(());
                }
                Stretch::Damage => self.torn = true,
            }
            let Some(next) = self.past_damage(&sql, below) else { return Ok(()) };
            below = next;
        }
    }

    /// Copies downward until something is in the way; `below` becomes the lowest number copied.
    fn stretch(&mut self, sql: &str, below: &mut i64, until: Option<Instant>) -> rusqlite::Result<Stretch> {
        let mut statement = match self.old.prepare_cached(sql) {
            Ok(statement) => statement,
            Err(_damage) => return Ok(Stretch::Damage),
        };
        let mut insert = self.new.prepare_cached(&self.insert)?;
        let Ok(mut rows) = statement.query([*below]) else { return Ok(Stretch::Damage) };
        loop {
            let row = match rows.next() {
                Ok(Some(row)) => row,
                Ok(None) => return Ok(Stretch::End),
                Err(_damage) => return Ok(Stretch::Damage),
            };
            let Ok(number) = row.get::<_, i64>(0) else { return Ok(Stretch::Damage) };
            if number >= *below {
                return Ok(Stretch::Damage);
            }
            let Ok(values) = values(row, 1) else { return Ok(Stretch::Damage) };
            self.copied += u64::try_from(insert.execute(params_from_iter(values))?).unwrap_or_default();
            *below = number;
            if self.copied.is_multiple_of(TOGETHER) {
                self.new.execute_batch("COMMIT; BEGIN")?;
                if until.is_some_and(|until| Instant::now() > until) {
                    return Ok(Stretch::Late);
                }
            }
        }
    }

    /// The highest number below the damage from which rows can be read again; none if there is nothing.
    fn past_damage(&self, sql: &str, below: i64) -> Option<i64> {
        // Leaps that double find the end of a small gap; shrinking by a share finds rows also where the oldest were
        // removed, or where the newest rows are what is damaged.
        let leaps = (0..62).map(|power| below.saturating_sub(1 << power));
        let shares = std::iter::successors(Some(below), |number| Some(number - (number / 64).max(1)));
        let first = |tried: &mut dyn Iterator<Item = i64>| {
            let mut bad = below;
            for next in tried.take_while(|number| *number > 0) {
                if self.readable(sql, next) {
                    return Some((bad, next));
                }
                bad = next;
            }
            None
        };
        let found = if below < i64::MAX { first(&mut { leaps }) } else { None };
        let (mut bad, mut good) = found.or_else(|| first(&mut shares.skip(1)))?;
        while bad - good > 1 {
            let middle = good + (bad - good) / 2;
            if self.readable(sql, middle) { good = middle } else { bad = middle }
        }
        Some(good)
    }

    /// Whether there is a row below this number that can be read.
    fn readable(&self, sql: &str, below: i64) -> bool {
        let read = |row: &rusqlite::Row<'_>| values(row, 0);
        let row = self.old.prepare_cached(sql).and_then(|mut statement| statement.query_row([below], read));
        row.is_ok_and(|row| matches!(row.first(), Some(Value::Integer(number)) if *number < below))
    }

    /// A table without row numbers: forward and backward as far as it goes.
    fn inward(&mut self) -> rusqlite::Result<()> {
        let key = primary_key(self.old, &self.name)?;
        for direction in ["ASC", "DESC"] {
            let order: Vec<_> = key.iter().map(|column| format!("{column} {direction}")).collect();
            let sql = format!("SELECT {} FROM \"{}\" ORDER BY {}", self.columns, self.name, order.join(", "));
            let mut insert = self.new.prepare_cached(&self.insert)?;
            let mut statement = self.old.prepare(&sql)?;
            let mut rows = statement.query([])?;
            loop {
                match rows.next() {
                    Ok(Some(row)) => {
                        let Ok(values) = values(row, 0) else { break self.torn = true };
                        let added = insert.execute(params_from_iter(values))?;
                        self.copied += u64::try_from(added).unwrap_or_default();
                    }
                    Ok(None) if direction == "ASC" => return Ok(()),
                    Ok(None) => break,
                    Err(_damage) => break self.torn = true,
                }
            }
        }
        Ok(())
    }

    fn report(self, found: &mut Found) {
        match self.name.as_str() {
            "checks" => found.checks += self.copied,
            // Its checks are counted when all of it is there.
            "archive" => {}
            _ => found.others += self.copied,
        }
        if self.torn {
            found.torn.push(self.name);
        }
        if self.ended {
            found.ended = Some("older checks would have taken too long".to_owned());
        }
    }
}

fn values(row: &rusqlite::Row<'_>, from: usize) -> rusqlite::Result<Vec<Value>> {
    (from..row.as_ref().column_count()).map(|column| row.get(column)).collect()
}

fn columns(db: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = db.prepare("SELECT name FROM pragma_table_info(?1) ORDER BY cid")?;
    let names = statement.query_map([table], |row| Ok(format!("\"{}\"", row.get::<_, String>(0)?)))?;
    names.collect()
}

fn primary_key(db: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = db.prepare("SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk")?;
    let names = statement.query_map([table], |row| Ok(format!("\"{}\"", row.get::<_, String>(0)?)))?;
    names.collect()
}

/// Makes the copy whole: nothing refers to what could not be read, and what is derived is made anew. How many packed
/// checks are left.
fn mend(db: &Connection) -> rusqlite::Result<u64> {
    // One that is no list of checks would break every look at the view.
    db.execute("DELETE FROM archive WHERE NOT json_valid(checks) OR json_type(checks) <> 'array'", [])?;
    for table in in_order(tables(db)?) {
        let mut statement =
            db.prepare("SELECT \"from\", \"table\", \"to\" FROM pragma_foreign_key_list(?1)")?;
        let links = statement.query_map([&table], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
        })?;
        for link in links {
            let (column, parent, key) = link?;
            db.execute(
                &format!(
                    "DELETE FROM \"{table}\" WHERE \"{column}\" NOT IN (SELECT \"{key}\" FROM \"{parent}\")"
                ),
                [],
            )?;
        }
    }
    db.execute_batch(
        "INSERT OR REPLACE INTO latest (service, check_id) SELECT service, max(id) FROM checks GROUP BY service",
    )?;
    db.pragma_update(None, "foreign_keys", true)?;
    let packed = "SELECT coalesce(sum(json_array_length(checks)), 0) FROM archive";
    db.query_row(packed, [], |row| row.get::<_, i64>(0)).map(|count| count.try_into().unwrap_or_default())
}
