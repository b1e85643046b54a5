//! Records over gRPC: taken once, counted, refused by place and reason.

use rand::rngs::OsRng;
use time::macros::date;
use tokio_stream::StreamExt;
use tonic::Code;
use vouchsafe_prover_service::demo::hospital;
use vouchsafe_prover_service::proto::records_client::RecordsClient;
use vouchsafe_prover_service::proto::{CommitRequest, CommitResponse, SignedCall};

use super::world::{OPERATOR, World, fresh, shared};

/// Sends documents as somebody and gathers the answers.
pub fn commit(world: &World, name: &str, documents: Vec<CommitRequest>) -> Result<Vec<CommitResponse>, tonic::Status> {
    let mut client = RecordsClient::new(world.connect_as(name));
    world.block_on(async {
        let answers = client.commit(tokio_stream::iter(documents)).await?.into_inner();
        answers.collect::<Result<Vec<_>, _>>().await
    })
}

fn document(name: &str, json: Vec<u8>) -> CommitRequest {
    CommitRequest { name: name.to_owned(), source: "ehr".to_owned(), document: json }
}

#[test]
fn documents_are_taken_once() {
    let world = fresh("server-records", |_| {});
    let bundle = &hospital::generate(5, 1, date!(2026 - 06 - 15))[0];
    let bytes = serde_json::to_vec(bundle).unwrap();
    let bad = br#"{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Patient"}}]}"#;
    let sent = vec![document("a", bytes.clone()), document("b", bytes), document("c", bad.to_vec())];
    let answers = commit(&world, OPERATOR, sent).unwrap();
    let names: Vec<&str> = answers.iter().map(|answer| answer.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert!(answers[0].added > 0 && answers[0].errors.is_empty(), "{:?}", answers[0]);
    assert_eq!((answers[1].added, answers[1].unchanged), (0, answers[0].added));
    assert_eq!(answers[2].added, 0);
    assert!(!answers[2].errors.is_empty());
    let records = world.node.institution().vault().records().unwrap().count() as u64;
    assert_eq!(records, answers[0].added);
    world.block_on(async {
        let institution = world.node.institution();
        institution.vault().settle(&institution.bridge(), &mut OsRng).await.unwrap();
    });
    assert_eq!(world.node.institution().vault().pending_count().unwrap(), 0);
}

#[test]
fn a_bad_source_ends_the_stream() {
    let sent = CommitRequest { source: "no spaces|or bars".to_owned(), ..document("a", b"{}".to_vec()) };
    let status = commit(shared(), OPERATOR, vec![sent]).unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
}

#[test]
fn an_unsigned_opening_is_refused() {
    let world = shared();
    let mut client = RecordsClient::new(world.connect());
    let status = world.block_on(client.open(SignedCall::default())).unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
}
