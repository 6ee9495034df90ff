//! Whatever the file holds, reading it ends soon and does not panic.

use proptest::prelude::*;

use super::*;

/// Reads and touches all that can be looked at.
fn survive(source: &[u8]) {
    let shown = match read_with(source, &[("A", "b")], &[("/etc/pihook/key", "c")]) {
        Ok(config) => format!("{config:?}"),
        Err(problems) => {
            assert!(!problems.is_empty());
            let lines: Vec<_> = problems.iter().map(|problem| problem.line).collect();
            assert!(lines.is_sorted() && lines.iter().all(|line| *line > 0), "{lines:?}");
            format!("{problems}{problems:?}")
        }
    };
    assert!(!shown.is_empty());
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(source in prop::collection::vec(any::<u8>(), 0..300)) {
        survive(&source);
    }

    #[test]
    fn yaml_like_text_never_panics(source in "([\\-?:,\\[\\]{}&*!|>'\"%@` \n\tab1~<$#.]|<<: |- |\\$\\{|&a |\\*a ){0,120}") {
        survive(source.as_bytes());
    }

    #[test]
    fn a_mutated_file_never_panics(
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0usize..30, "[ -~\n]{0,4}"), 1..6)
    ) {
        let mut source = FULL.as_bytes().to_vec();
        for (at, removed, inserted) in edits {
            let start = at.index(source.len() + 1);
            let end = (start + removed).min(source.len());
            source.splice(start..end, inserted.bytes());
        }
        survive(&source);
    }

    #[test]
    fn lines_of_the_file_in_any_order_never_panic(order in prop::collection::vec(0usize..45, 0..60)) {
        let lines: Vec<_> = FULL.lines().collect();
        let text: Vec<_> = order.iter().filter_map(|line| lines.get(*line).copied()).collect();
        survive(text.join("\n").as_bytes());
    }
}

#[track_caller]
fn refused(source: &str, words: &str) {
    let problems = read(source).unwrap_err().to_string();
    assert!(problems.contains(words), "{problems}");
}

#[test]
fn an_alias_bomb_is_refused() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let alias = format!("*a{}, ", level - 1).repeat(10);
        bomb.push_str(&format!("a{level}: &a{level} [{alias}]\n"));
    }
    refused(&bomb, "far too large");
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(100_000), "*a, ".repeat(100));
    refused(&long, "far too large");
    refused("a: &a [*a]", "within its own anchor");
}

#[test]
fn depth_and_size_are_bounded() {
    refused(&"[".repeat(60), "levels deep");
    refused(&"{a: ".repeat(60), "levels deep");
    refused(&"[".repeat(900_000), "not YAML");
    refused(&"{a: ".repeat(200_000), "not YAML");
    refused(&"- ".repeat(400_000), "levels deep");
    refused(&"? ".repeat(400_000), "levels deep");
    refused(&"- a\n".repeat(200_000), "far too large");
    refused(&"a: b\n".repeat(200_000), "far too large");
    let keys: String = (0..90_000).map(|index| format!("k{index}:\n")).collect();
    refused(&keys, "far too large");
    refused(&"#".repeat(2_000_000), "larger than 1 MiB");
}

#[test]
fn hostile_scalars_end_soon() {
    for source in [
        "a: \"".to_owned() + &"\\u0041".repeat(150_000),
        "&".repeat(900_000),
        "!".repeat(900_000),
        "a: 'b".repeat(100_000),
        "%".repeat(900_000),
        "a".repeat(900_000) + ": 1",
        "[a, ".to_owned() + &"a: b, ".repeat(40_000),
        "\n".repeat(900_000),
        "${".repeat(400_000),
        "a: ".to_owned() + &"9".repeat(900_000),
    ] {
        survive(source.as_bytes());
    }
}

#[test]
fn secrets_are_bounded() {
    let long = "x".repeat(20_000);
    let text = "services: [{ name: A, url: \"http://a/${LONG}\" }]";
    let problems = read_with(text.as_bytes(), &[("LONG", &long)], &[]).unwrap_err().to_string();
    assert!(problems.contains("longer than 16 KiB") && problems.len() < 300, "{problems}");
    let text =
        format!("services: []\nsinks: {{ d: {{ type: discord, url: \"{}\" }} }}", "${WEBHOOK}".repeat(1000));
    refused(&text, "longer than 16 KiB");
}

#[test]
fn a_thousand_services_are_enough_and_a_thousand_problems_too() {
    let services = |count| {
        let line = |index| format!("  - {{ name: s{index}, url: http://a/ }}\n");
        format!("services:\n{}", (0..count).map(line).collect::<String>())
    };
    assert_eq!(good(&services(1000)).services.len(), 1000);
    refused(&services(1001), "services[1000]: these are more than 1000 services");
    let keys: String = (0..1200).map(|index| format!("key{index}: 1\n")).collect();
    let problems = read(&format!("{keys}services: []")).unwrap_err();
    assert_eq!((problems.len(), problems.iter().count()), (1200, 1000));
    assert!(problems.to_string().ends_with("… and 200 more"));
}

#[test]
fn names_are_bounded_and_so_is_the_search_for_the_one_that_was_meant() {
    let zones: String = (0..30_000).map(|index| format!("  z{index:07}: {{}}\n")).collect();
    let services: String = (0..1000)
        .map(|index| format!("- {{ name: s{index}, url: http://a/, zone: zone{index} }}\n"))
        .collect();
    refused(&format!("zones:\n{zones}services:\n{services}"), "zones: these are 30000 names; at most 200");
    let sinks = "nowhere-to-be-found, ".repeat(40_000);
    let problems =
        read(&format!("escalation: [{{ after: 1, sinks: [{sinks}] }}]\nservices: []")).unwrap_err();
    assert_eq!(problems.len(), 40_000);
}
