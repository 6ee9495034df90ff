use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::store::schema::{MIGRATIONS, migrate, version};
use crate::store::{StoreError, StoreReader};

/// The newest format that there is.
fn newest() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap()
}

#[tokio::test]
async fn the_views_have_the_columns_of_the_contract() {
    let place = Place::new();
    let _store = place.store();
    let columns = |view: &str| {
        let db = place.peek();
        let statement = db.prepare(&format!("SELECT * FROM {view}")).unwrap();
        statement.column_names().collect::<Vec<_>>().join(", ")
    };
    assert_eq!(
        columns("check_log"),
        "at_ms, service, zone, check, status, response_ms, attempts, summary, in_maintenance"
    );
    assert_eq!(
        columns("incident_log"),
        "id, service, zone, opened_ms, closed_ms, severity, reason, checks_failed"
    );
}

#[tokio::test]
async fn the_pragmas_hold_and_only_the_owner_reads_the_files() {
    let place = Place::new();
    let store = place.store();
    store.commit(urgent("a", "")).await.unwrap();
    let pragma = |name: &str| -> String {
        place
            .peek()
            .pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0))
            .map(|value| format!("{value:?}"))
            .unwrap()
    };
    assert_eq!(pragma("journal_mode"), "Text(\"wal\")");
    assert_eq!(pragma("auto_vacuum"), "Integer(2)");
    assert_eq!(pragma("page_size"), "Integer(4096)");
    for suffix in ["db", "db-wal", "db-shm"] {
        let mode = std::fs::metadata(place.path.with_extension(suffix)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{suffix}");
    }
}

#[test]
fn a_newer_format_is_refused_and_untouched() {
    let place = Place::new();
    std::fs::create_dir_all(place.path.parent().unwrap()).unwrap();
    // Left open, so that the format is in the write-ahead log alone and a careless close would move it.
    let newer = place.peek();
    newer.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())).unwrap();
    newer.execute_batch("CREATE TABLE future (x); PRAGMA user_version = 99;").unwrap();
    let image = tempfile::tempdir().unwrap();
    let copy = image.path().join("pihook.db");
    std::fs::copy(&place.path, &copy).unwrap();
    std::fs::copy(place.path.with_extension("db-wal"), copy.with_extension("db-wal")).unwrap();
    let files = || (std::fs::read(&copy).unwrap(), std::fs::read(copy.with_extension("db-wal")).unwrap());
    let before = files();
    let error = Store::open(&copy, NEVER).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 99, known, .. } if known == newest()), "{error:?}");
    assert!(error.to_string().contains("format 99"), "{error}");
    let error = StoreReader::open(&copy).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error:?}");
    assert!(files() == before, "the files were changed");
}

#[test]
fn a_foreign_database_and_a_file_that_is_none_are_refused() {
    let place = Place::new();
    std::fs::create_dir_all(place.path.parent().unwrap()).unwrap();
    place.peek().execute_batch("CREATE TABLE photos (x)").unwrap();
    let before = std::fs::read(&place.path).unwrap();
    assert!(matches!(Store::open(&place.path, NEVER), Err(StoreError::Foreign { .. })));
    assert!(std::fs::read(&place.path).unwrap() == before);
    std::fs::write(&place.path, "x".repeat(5000)).unwrap();
    assert!(matches!(Store::open(&place.path, NEVER), Err(StoreError::Open { .. })));
    assert!(matches!(StoreReader::open(&place.path), Err(StoreError::Open { .. })));
}

#[test]
fn a_reader_does_not_make_a_database() {
    let place = Place::new();
    assert!(matches!(StoreReader::open(&place.path), Err(StoreError::Open { .. })));
    assert!(!place.path.exists());
    std::fs::create_dir_all(place.path.parent().unwrap()).unwrap();
    std::fs::write(&place.path, "").unwrap();
    let error = StoreReader::open(&place.path).unwrap_err();
    assert!(matches!(error, StoreError::Older { found: 0, known, .. } if known == newest()), "{error:?}");
}

#[test]
fn a_migration_that_fails_or_is_cut_off_leaves_no_trace() {
    let place = Place::new();
    std::fs::create_dir_all(place.path.parent().unwrap()).unwrap();
    let tables = |db: &Connection| -> i64 {
        db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap()
    };
    let mut db = place.peek();
    migrate(&mut db, &MIGRATIONS[..1]).unwrap();
    let complete = tables(&db);
    let broken = [MIGRATIONS[0], "CREATE TABLE half (x); INSERT INTO nowhere VALUES (1);"];
    let error = migrate(&mut db, &broken).unwrap_err();
    assert!(matches!(error, StoreError::Migrate { version: 2, .. }), "{error:?}");
    assert_eq!((version(&db).unwrap(), tables(&db)), (1, complete));

    db.execute_batch("BEGIN; CREATE TABLE half (x); PRAGMA user_version = 2;").unwrap();
    drop(db);
    let mut db = place.peek();
    assert_eq!((version(&db).unwrap(), tables(&db)), (1, complete));
    migrate(&mut db, &[MIGRATIONS[0], "CREATE TABLE whole (x);"]).unwrap();
    assert_eq!((version(&db).unwrap(), tables(&db)), (2, complete + 1));
}

#[test]
fn each_column_of_each_view_is_documented() {
    let docs = include_str!("../../../../docs/history.md");
    let place = Place::new();
    let store = place.store();
    let db = place.peek();
    let list = |sql: &str| -> Vec<String> {
        let mut statement = db.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let views = list("SELECT name FROM sqlite_schema WHERE type = 'view' ORDER BY name");
    assert_eq!(views, ["check_log", "hour_log", "incident_log", "loss_log", "maintenance_log"]);
    for view in views {
        let section = docs.split("\n## ").find(|section| section.starts_with(&format!("`{view}`")));
        let section = section.unwrap_or_else(|| panic!("{view} is not documented"));
        let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
        let first_cells = rows.filter_map(|row| row.split('|').next());
        let documented: Vec<String> = first_cells
            .flat_map(|cell| cell.split(','))
            .map(|name| name.trim().trim_matches('`').to_owned())
            .collect();
        let columns = list(&format!("SELECT name FROM pragma_table_info('{view}') ORDER BY cid"));
        assert_eq!(documented, columns, "{view}");
    }
    drop(store);
}
