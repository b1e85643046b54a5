//! The operator's socket: for this user alone, and the same commands with and without a node.

use std::os::unix::fs::PermissionsExt;

use vouchsafe_prover_service::operator::{self, Command, Done};
use vouchsafe_prover_service::server::Caller;

use super::world::fresh;

#[test]
fn a_command_gives_the_same_over_the_socket_and_in_process() {
    let mut world = fresh("server-operator", |_| {});
    let socket = world.data.join("operator.sock");
    let mode = std::fs::metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let (here, there) = world.block_on(async {
        let here = operator::run(&world.node, Command::Status {}).await;
        let mut caller = Caller::connect(&socket).await.unwrap().unwrap();
        (here, caller.run(&Command::Status {}).await.unwrap())
    });
    assert_eq!(here, there);
    assert_eq!((here.status, here.outcome["phase"].as_str()), (0, Some("serving")));
    world.tell_to_stop();
    world.ended().unwrap();
    assert!(!socket.exists(), "the socket is removed at the end");
    assert!(world.block_on(Caller::connect(&socket)).unwrap().is_none());
}

#[test]
fn commands_are_read_strictly() {
    let good = serde_json::json!({ "command": "status" });
    assert_eq!(serde_json::from_value::<Command>(good).unwrap(), Command::Status {});
    for bad in [
        serde_json::json!({ "command": "status", "more": 1 }),
        serde_json::json!({ "command": "Status" }),
        serde_json::json!({}),
        serde_json::json!("status"),
    ] {
        assert!(serde_json::from_value::<Command>(bad.clone()).is_err(), "{bad}");
    }
    assert_eq!(Done::usage("x").status, 2);
}
