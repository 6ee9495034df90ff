use pihook_core::Status;
use proptest::prelude::*;

use super::super::page::tests::EVIL;
use super::super::xml::check::well_formed;
use super::*;

const MINUTE: i64 = 60_000;

fn axis() -> Axis {
    Axis { from_ms: 0, to_ms: 60 * MINUTE, ticks: vec![(0, "10:00".into()), (30 * MINUTE, "10:30".into())] }
}

fn column(minute: i64, middle: Option<f64>, status: Option<Status>) -> Column {
    Column {
        from_ms: minute * MINUTE,
        to_ms: (minute + 1) * MINUTE,
        middle,
        high: middle.map(|ms| ms * 2.0),
        status,
        title: format!("minute {minute}"),
    }
}

#[test]
fn a_band_has_a_gap_where_nothing_is_known_and_a_dash_for_a_single_column() {
    let up = Some(Status::Up);
    let columns = [
        column(0, Some(10.0), up),
        column(1, Some(20.0), up),
        column(3, Some(30.0), up),
        column(4, None, Some(Status::Down)),
    ];
    let svg = band(&axis(), &columns, "Response times");
    well_formed(&svg);
    assert_eq!(svg.matches(r#"class="middle""#).count(), 2, "{svg}");
    assert_eq!(svg.matches(r#"class="mark up""#).count(), 2, "{svg}");
    assert_eq!(svg.matches(r#"class="mark down""#).count(), 1, "{svg}");
    assert_eq!(svg.matches("<title>minute ").count(), 4, "{svg}");
    assert!(svg.contains("20 ms") && svg.contains("60 ms") && svg.contains("10:30"), "{svg}");
    insta::assert_snapshot!(svg.replace("><", ">\n<"));
}

#[test]
fn nothing_is_a_picture_too() {
    let svg = band(&axis(), &[], "Response times");
    well_formed(&svg);
    assert!(svg.contains("Nothing is known"), "{svg}");
    let empty = Axis { from_ms: 5, to_ms: 5, ticks: Vec::new() };
    well_formed(&band(&empty, &[column(0, Some(1.0), None)], ""));
    well_formed(&stack::<2>(&empty, &[], ["a", "b"], ""));
}

#[test]
fn parts_stand_on_each_other() {
    let pile =
        Pile { from_ms: 0, to_ms: MINUTE, parts: [Some(10.0), None, Some(30.0)], title: EVIL.to_owned() };
    let svg = stack(&axis(), &[pile], ["dns", "tls", "first-byte"], EVIL);
    well_formed(&svg);
    assert!(!svg.contains("<script>"), "{svg}");
    // The second begins where the first ends: a quarter of 180 above the ground.
    assert!(svg.contains(r#"class="dns" x="0.0" y="161.0" width="13.3" height="45.0""#), "{svg}");
    assert!(svg.contains(r#"class="first-byte" x="0.0" y="26.0" width="13.3" height="135.0""#), "{svg}");
    assert!(!svg.contains(r#"class="tls""#), "{svg}");
}

fn value() -> impl Strategy<Value = Option<f64>> {
    prop::option::of(prop_oneof![
        3 => 0.0..5000.0_f64,
        1 => prop::num::f64::ANY,
        1 => prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 0.0, f64::MAX, f64::MIN_POSITIVE]),
    ])
}

fn status() -> impl Strategy<Value = Option<Status>> {
    prop::option::of(prop::sample::select(Status::ALL.to_vec()))
}

proptest! {
    /// Any values, at any time, with any texts: what comes out can be read and has a place for each column.
    #[test]
    fn any_values_give_a_picture(
        columns in prop::collection::vec((any::<i64>(), any::<i64>(), value(), value(), status(), any::<String>()), 0..20),
        ends in (any::<i64>(), any::<i64>()),
        label in any::<String>(),
    ) {
        let axis = Axis { from_ms: ends.0, to_ms: ends.1, ticks: vec![(ends.0, label.clone())] };
        let piles: Vec<_> = columns
            .iter()
            .map(|(from_ms, to_ms, one, two, _, title)| Pile {
                from_ms: *from_ms,
                to_ms: *to_ms,
                parts: [*one, *two],
                title: title.clone(),
            })
            .collect();
        let columns: Vec<_> = columns
            .into_iter()
            .map(|(from_ms, to_ms, middle, high, status, title)| Column { from_ms, to_ms, middle, high, status, title })
            .collect();
        let svg = band(&axis, &columns, &label.replace("inf", "").replace("NaN", ""));
        let known = columns.iter().filter(|column| column.status.is_some()).count();
        prop_assert_eq!(svg.matches(r#"class="hover""#).count(), known);
        well_formed(&svg);
        well_formed(&stack(&axis, &piles, ["a", "b"], "parts"));
    }
}
