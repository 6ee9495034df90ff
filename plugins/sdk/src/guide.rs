//! For a plugin's tests: what its documentation says, to be compared with what its code knows.

/// The names in the first column of each Markdown table whose first column has this heading, such as `Setting` or
/// `Metric`, without their back quotes and in their order.
#[must_use]
pub fn column<'a>(guide: &'a str, heading: &str) -> Vec<&'a str> {
    let mut names = Vec::new();
    let mut within = false;
    for line in guide.lines() {
        let Some(row) = line.strip_prefix('|') else {
            within = false;
            continue;
        };
        let first = row.split('|').next().unwrap_or_default().trim();
        if within && !first.starts_with("--") {
            names.push(first.trim_matches('`'));
        }
        within |= first == heading;
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_column_is_read_from_each_table_that_has_it() {
        let guide = "| Setting | x |\n|---|---|\n| `a` | 1 |\n| `b.c` | 2 |\n\n| Metric |\n|---|\n| `m` |\n\n| Setting |\n|---|\n| `d` |\n";
        assert_eq!(column(guide, "Setting"), ["a", "b.c", "d"]);
        assert_eq!(column(guide, "Metric"), ["m"]);
    }
}
