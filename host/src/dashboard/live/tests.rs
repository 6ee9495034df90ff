use pihook_core::monitor::Muting;
use pihook_core::{ServiceId, Status};

use super::*;
use crate::dashboard::page::tests::{EVIL, listed, outcome, view};
use crate::dashboard::tests::Stage;

#[tokio::test(start_paused = true)]
async fn a_listener_hears_of_each_change_once() {
    let stage = Stage::new().await;
    stage.board.list(vec![listed("a", "Aster", "local", "http"), listed("b", EVIL, "local", "http")]);
    let mut listener = stage.listen().await;
    let down = outcome(Status::Down, EVIL);
    stage.board.note(&ServiceId::new("b"), view(Status::Up, None), Muting::Audible, Some(&down));
    let news = listener.until("\n\n").await;
    assert!(news.contains("event: news\n") && news.contains(r#"id=\"s-b\""#), "{news}");
    assert!(!news.contains(r#"id=\"s-a\""#) && !news.contains("<script>"), "{news}");
    stage.board.list(vec![listed("a", "Aster", "local", "http")]);
    assert!(listener.until("\n\n").await.contains("event: anew\n"));
}

#[tokio::test(start_paused = true)]
async fn silence_is_broken_before_the_door_loses_patience() {
    let stage = Stage::new().await;
    let mut listener = stage.listen().await;
    for _ in 0..4 {
        assert!(listener.until("\n\n").await.ends_with(":\n\n"));
    }
}

#[test]
fn two_pictures_of_the_same_services_are_told_from_others() {
    let board = crate::board::Board::new();
    board.list(vec![listed("a", "Aster", "local", "http")]);
    let before = board.picture();
    board.note(&ServiceId::new("a"), view(Status::Up, None), Muting::Audible, None);
    assert!(same_services(&before, &board.picture()));
    board.list(vec![listed("a", "Another", "local", "http")]);
    assert!(!same_services(&before, &board.picture()));
    board.list(Vec::new());
    assert!(!same_services(&before, &board.picture()));
}
